/** Where machines run, as the key `host` writes it. */
import type { Place } from "./topology.js";

export const LOCAL: Place = { kind: "local" };

export type HostFile = string | { readonly docker: string } | { readonly libvirt: string };

const DOCKER_ENGINE = /^(unix:\/\/\/|tcp:\/\/|http:\/\/|https:\/\/|ssh:\/\/)\S+$/;

/** Undefined when it names no place; `explainPlace` says which there are. */
export function parsePlace(host: HostFile): Place | undefined {
  if (typeof host === "string") return namedPlace(host);
  if ("docker" in host) return DOCKER_ENGINE.test(host.docker) ? { kind: "docker", engine: host.docker } : undefined;
  return overSsh(host.libvirt);
}

function namedPlace(host: string): Place | undefined {
  if (host === "local") return LOCAL;
  if (host === "docker") return { kind: "docker" };
  return overSsh(host);
}

/** `qemu+ssh://user@host:port/system`, or `ssh://user@host:port` for one that the lab starts there. */
function overSsh(uri: string): Place | undefined {
  const match = /^(qemu\+)?ssh:\/\/((?:[^/@\s]+@)?[^/@\s:?]+(?::\d{1,5})?)(\/\S*)?$/.exec(uri);
  const destination = match?.[2];
  if (destination === undefined) return undefined;
  if (match?.[1] === undefined) {
    return match?.[3] === undefined
      ? { kind: "ssh", destination, libvirtUri: `qemu+ssh://${destination}/session` }
      : undefined;
  }
  return match[3] === undefined ? undefined : { kind: "ssh", destination, libvirtUri: uri };
}

export const PLACE_FORMS =
  "a host is local, docker, ssh://USER@HOST:PORT, {docker: unix:///SOCKET} or {libvirt: qemu+ssh://USER@HOST/system}";

/** Equal places are one. */
export function samePlace(a: Place, b: Place): boolean {
  return placeName(a) === placeName(b);
}

/** For people. */
export function placeName(place: Place): string {
  switch (place.kind) {
    case "local":
      return "local";
    case "docker":
      return place.engine === undefined ? "docker" : `docker ${place.engine}`;
    case "ssh":
      return place.libvirtUri;
  }
}
