/** Sockets of this process by the name of their other end, and a way to cut them from another thread. */
import koffi from "koffi";

const FIRST_FD = 3;
const LAST_FD = 1023;
const SOCKADDR_UN_BYTES = 110;
const SHUT_RDWR = 2;

type NativeFunction = (...args: unknown[]) => number;
let libc: { getpeername: NativeFunction; shutdown: NativeFunction } | undefined;

function load() {
  const library = koffi.load("libc.so.6");
  libc ??= {
    getpeername: library.func("int getpeername(int fd, _Out_ uint8_t *address, _Inout_ uint *length)"),
    shutdown: library.func("int shutdown(int fd, int how)"),
  };
  return libc;
}

/** Descriptors of all unix sockets that are connected to this path. */
export function socketsTo(path: string): number[] {
  const { getpeername } = load();
  const found: number[] = [];
  for (let fd = FIRST_FD; fd <= LAST_FD; fd++) {
    const address = Buffer.alloc(SOCKADDR_UN_BYTES);
    if (getpeername(fd, address, [address.length]) !== 0) continue;
    // sockaddr_un: two bytes of family, then the path, ended by a zero.
    if (address.toString("utf8", 2).startsWith(`${path}\0`)) found.push(fd);
  }
  return found;
}

/** Whoever waits for this socket gets an end of file. The descriptor stays open. */
export function cutSocket(fd: number): void {
  load().shutdown(fd, SHUT_RDWR);
}

/** The unix socket that a libvirt URI names, if it names one. */
export function socketOfUri(uri: string): string | undefined {
  return URL.canParse(uri) ? (new URL(uri).searchParams.get("socket") ?? undefined) : undefined;
}
