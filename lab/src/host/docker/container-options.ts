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
  /** Absent: whatever there is. */
  readonly limits?: ContainerLimits;
}

/** Of what the engine calls HostConfig. */
export interface ContainerLimits {
  readonly CpusetCpus: string;
  /** Bytes; with swap twice as many, as the engine does by itself when a container is made. */
  readonly Memory: number;
  readonly MemorySwap: number;
}

/** `numCpus`: of the engine's host, all of which a lab may use that names none. */
export function containerLimits({ cores, memoryMib }: LimitedPlan, numCpus: number): ContainerLimits {
  const Memory = memoryMib * 2 ** 20;
  return { CpusetCpus: cores?.join(",") ?? `0-${numCpus - 1}`, Memory, MemorySwap: 2 * Memory };
}

interface LimitedPlan {
  readonly cores: readonly number[] | undefined;
  readonly memoryMib: number;
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
      ...plan.limits,
    },
  };
}
