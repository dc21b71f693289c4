/** What the programs of a trial do. */
export const WORKLOADS = ["rpc", "short", "udp", "bulk", "file"] as const;
export type Workload = (typeof WORKLOADS)[number];
