/** How long each rung of the readiness ladder may take, in seconds. */
export const DEADLINE_DEFAULTS_S = {
  switch: 20,
  ports: 10,
  running: 20,
  console: 60,
  agent: 120,
  init: 120,
  nic: 60,
  link: 90,
} as const;

export type DeadlineName = keyof typeof DEADLINE_DEFAULTS_S;
