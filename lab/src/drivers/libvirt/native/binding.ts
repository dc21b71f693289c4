/**
 * libvirt.so.0 and libvirt-qemu.so.0 through koffi.
 *
 * Every call is synchronous and blocks the thread that makes it, and libvirt keeps its last error per thread: so this
 * file is for the libvirt thread alone. Asynchronous koffi calls would lose the error.
 */
import koffi from "koffi";
import { FAULT, type LibvirtFault } from "./protocol.js";

/** A native pointer, as koffi gives it. */
export type Pointer = NonNullable<unknown>;
type NativeFunction = (...args: unknown[]) => unknown;

/** Thrown inside the libvirt thread only; it crosses to the main thread as its fault. */
export class NativeFailure extends Error {
  override readonly name = "NativeFailure";
  constructor(readonly fault: LibvirtFault) {
    super(fault.message);
  }
}

const VIR_ERROR = koffi.struct("virError", {
  code: "int",
  domain: "int",
  message: "const char *",
  level: "int",
});
koffi.opaque("virConnect");
koffi.opaque("virDomain");

const SIGNATURES = {
  virInitialize: "int virInitialize()",
  virGetVersion: "int virGetVersion(_Out_ ulong *libVer, const char *type, void *typeVer)",
  virConnectOpen: "virConnect *virConnectOpen(const char *name)",
  virConnectClose: "int virConnectClose(virConnect *conn)",
  virConnectGetLibVersion: "int virConnectGetLibVersion(virConnect *conn, _Out_ ulong *libVer)",
  virConnectGetVersion: "int virConnectGetVersion(virConnect *conn, _Out_ ulong *hvVer)",
  virDomainLookupByName: "virDomain *virDomainLookupByName(virConnect *conn, const char *name)",
  virDomainDefineXMLFlags: "virDomain *virDomainDefineXMLFlags(virConnect *conn, const char *xml, uint flags)",
  virDomainCreateWithFlags: "int virDomainCreateWithFlags(virDomain *domain, uint flags)",
  virDomainGetName: "const char *virDomainGetName(virDomain *domain)",
  virDomainGetState: "int virDomainGetState(virDomain *domain, _Out_ int *state, _Out_ int *reason, uint flags)",
  virDomainGetXMLDesc: "void *virDomainGetXMLDesc(virDomain *domain, uint flags)",
  virDomainShutdownFlags: "int virDomainShutdownFlags(virDomain *domain, uint flags)",
  virDomainDestroyFlags: "int virDomainDestroyFlags(virDomain *domain, uint flags)",
  virDomainUndefineFlags: "int virDomainUndefineFlags(virDomain *domain, uint flags)",
  virDomainSuspend: "int virDomainSuspend(virDomain *domain)",
  virDomainResume: "int virDomainResume(virDomain *domain)",
  virDomainReset: "int virDomainReset(virDomain *domain, uint flags)",
  virDomainSetLifecycleAction: "int virDomainSetLifecycleAction(virDomain *d, uint type, uint action, uint flags)",
  virDomainSaveFlags: "int virDomainSaveFlags(virDomain *domain, const char *to, const char *xml, uint flags)",
  virDomainRestoreFlags: "int virDomainRestoreFlags(virConnect *c, const char *from, const char *xml, uint flags)",
  virDomainFree: "int virDomainFree(virDomain *domain)",
  virGetLastError: "virError *virGetLastError()",
  virResetLastError: "void virResetLastError()",
  virSetErrorFunc: "void virSetErrorFunc(void *userData, void *handler)",
} as const;

const QEMU_SIGNATURES = {
  virDomainQemuAgentCommand: "void *virDomainQemuAgentCommand(virDomain *d, const char *cmd, int timeout, uint flags)",
} as const;

const LIBC_SIGNATURES = {
  free: "void free(void *memory)",
} as const;

type Native = Record<
  keyof typeof SIGNATURES | keyof typeof QEMU_SIGNATURES | keyof typeof LIBC_SIGNATURES,
  NativeFunction
>;

export class Binding {
  private constructor(private readonly native: Native) {}

  static load(): Binding {
    const native = {
      ...bind("libvirt.so.0", SIGNATURES),
      ...bind("libvirt-qemu.so.0", QEMU_SIGNATURES),
      ...bind("libc.so.6", LIBC_SIGNATURES),
    } as Native;
    const binding = new Binding(native);
    // Without a handler libvirt prints every error on stderr by itself. The handler is one for the whole process and is
    // called on the thread that fails, so it cannot be JavaScript: that belongs to one thread, and dies with it. free(),
    // given the null of the user data, does nothing.
    native.virSetErrorFunc(null, koffi.load("libc.so.6").symbol("free", "void"));
    binding.status("virInitialize");
    return binding;
  }

  /** Calls a function that gives -1 for a failure. */
  status(name: keyof Native, ...args: unknown[]): number {
    const status = this.native[name](...args) as number;
    if (status < 0) throw this.failure(name);
    return status;
  }

  /** Calls a function that gives null for a failure. */
  pointer(name: keyof Native, ...args: unknown[]): Pointer {
    const pointer = this.native[name](...args);
    if (pointer === null || pointer === undefined) throw this.failure(name);
    return pointer;
  }

  /** Calls a function that gives a string for the caller to free. */
  ownedString(name: keyof Native, ...args: unknown[]): string {
    const pointer = this.pointer(name, ...args);
    const text = koffi.decode(pointer, "char", -1) as string;
    this.native.free(pointer);
    return text;
  }

  borrowedString(name: keyof Native, ...args: unknown[]): string {
    const text = this.native[name](...args) as string | null;
    if (text === null) throw this.failure(name);
    return text;
  }

  /** Frees an object; a failure to do so is of no use to anybody. */
  release(name: "virDomainFree" | "virConnectClose", object: Pointer): void {
    this.native[name](object);
  }

  private failure(call: string): NativeFailure {
    const error = this.native.virGetLastError();
    if (error === null || error === undefined) {
      return new NativeFailure({ call, code: 0, domain: 0, level: 0, message: `${call} failed without an error` });
    }
    const { code, domain, message, level } = koffi.decode(error, VIR_ERROR) as Omit<LibvirtFault, "call">;
    this.native.virResetLastError();
    return new NativeFailure({ call, code, domain, level, message: message ?? `${call} failed` });
  }
}

function bind<T extends Readonly<Record<string, string>>>(
  library: string,
  signatures: T,
): Record<string, NativeFunction> {
  try {
    const loaded = koffi.load(library);
    return Object.fromEntries(Object.entries(signatures).map(([name, signature]) => [name, loaded.func(signature)]));
  } catch (cause) {
    throw new NativeFailure({
      call: "load",
      code: FAULT.NO_LIBRARY,
      domain: 0,
      level: 2,
      message: `${library} cannot be used: ${cause instanceof Error ? cause.message : String(cause)}`,
    });
  }
}
