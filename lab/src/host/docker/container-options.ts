/** What the lab's container is allowed: pure, from what the lab needs to what the engine is asked for. */
import type Docker from "dockerode";

export const LAB_LABEL = "vnflab.lab";
export const STATE_LABEL = "vnflab.state";

export interface ContainerPlan {
  readonly name: string;
  readonly image: string;
  readonly lab: string;
  readonly stateDir: string;
  /** `uid:gid`, as the lab's folders belong to them. */
  readonly user: string;
  readonly groups: readonly number[];
  readonly env: Readonly<Record<string, string>>;
  /** Bind-mounted at the same path. */
  readonly folders: readonly { readonly path: string; readonly readOnly: boolean }[];
  readonly devices: readonly string[];
  readonly cores?: readonly number[];
  readonly memoryMib?: number;
}

function labels(lab: string, stateDir: string): Record<string, string> {
  return { [LAB_LABEL]: lab, [STATE_LABEL]: stateDir };
}

/**
 * No network, no capability but one, no way to gain any. Root's libvirtd runs in a user namespace of its own
 * (private-daemon.ts): making one needs CAP_SETFCAP, since the namespace maps root, and Docker's own seccomp profile
 * forbids it to whoever lacks CAP_SYS_ADMIN, which is far more. An ordinary user's container keeps that profile.
 */
export function containerOptions(plan: ContainerPlan, command: readonly string[]): Docker.ContainerCreateOptions {
  const isRoot = plan.user.startsWith("0:");
  return {
    name: plan.name,
    Image: plan.image,
    Cmd: [...command],
    User: plan.user,
    WorkingDir: "/",
    Env: Object.entries(plan.env).map(([key, value]) => `${key}=${value}`),
    Labels: labels(plan.lab, plan.stateDir),
    NetworkDisabled: true,
    HostConfig: {
      // Takes in what daemons leave behind.
      Init: true,
      NetworkMode: "none",
      CapDrop: ["ALL"],
      ...(isRoot ? { CapAdd: ["SETFCAP"] } : {}),
      SecurityOpt: ["no-new-privileges", ...(isRoot ? ["seccomp=unconfined"] : [])],
      GroupAdd: plan.groups.map(String),
      Devices: plan.devices.map((path) => ({ PathOnHost: path, PathInContainer: path, CgroupPermissions: "rw" })),
      Mounts: plan.folders.map(({ path, readOnly }) => ({
        ...{ Type: "bind", Source: path, Target: path, ReadOnly: readOnly },
        BindOptions: { Propagation: "rprivate" },
      })) as Docker.MountConfig,
      ...(plan.cores ? { CpusetCpus: plan.cores.join(",") } : {}),
      ...(plan.memoryMib === undefined ? {} : { Memory: plan.memoryMib * 2 ** 20 }),
    },
  };
}
