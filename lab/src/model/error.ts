/**
 * The one error class of the lab and the one table of its codes.
 *
 * Every failure that a user can meet has a code here; docs/reference/errors.md is generated from this table and a
 * test keeps both equal. A message says what happened and where; the hint says how to mend it.
 */

import { channel } from "node:diagnostics_channel";

/** Whoever listens learns of every error as it is made, handled or not: `diagnostics_channel` of Node.js. */
const errors = channel("vnflab:error");

export interface ErrorEntry {
  /** Exit code of the command that fails with this error. */
  readonly exitCode: number;
  /** What the code means, one sentence, for the reference. */
  readonly summary: string;
  /** How to mend it; used when the place that throws knows nothing better. */
  readonly hint: string;
}

export const ERROR_CODES = {
  VNF_USAGE: {
    exitCode: 2,
    summary: "The command line is wrong: an unknown command or option, or a bad value.",
    hint: "Run the command with --help.",
  },
  VNF_LAB_INVALID: {
    exitCode: 3,
    summary: "The lab file cannot be read, is not YAML, or breaks the schema.",
    hint: "Correct the key that the message names; lab/schema/lab.schema.json lists what is allowed.",
  },
  VNF_EXPERIMENT_INVALID: {
    exitCode: 51,
    summary: "The file of an experiment cannot be read, is not YAML, or breaks the schema.",
    hint: "Correct the key that the message names; lab/schema/experiment.schema.json lists what is allowed.",
  },
  VNF_TEMPLATE_INVALID: {
    exitCode: 4,
    summary: "A domain template cannot be read, is not XML, lacks a placeholder or has an unknown one.",
    hint: "Compare the template with vm-templates/README.md.",
  },
  VNF_TOOL_MISSING: {
    exitCode: 5,
    summary: "A program or library that the lab needs is not installed.",
    hint: "Run `make setup`.",
  },
  VNF_KVM_UNUSABLE: {
    exitCode: 6,
    summary: "KVM was demanded, but /dev/kvm is absent, not accessible, or failed its probe.",
    hint: "Use `accelerator: auto` or `accelerator: tcg` in the lab file, or mend KVM.",
  },
  VNF_PORT_IN_USE: {
    exitCode: 7,
    summary: "Another process listens on an address that the lab needs.",
    hint: "Stop that process, or give the lab another address.",
  },
  VNF_STALE_SOCKET: {
    exitCode: 8,
    summary: "A file stands where the lab needs a socket, and it is not provably a leftover of this lab.",
    hint: "Remove the file if nothing uses it, or run `vnflab down NAME` for the lab that owns it.",
  },
  VNF_NOT_BUILT: {
    exitCode: 9,
    summary: "A built part is missing: the applications, the switch or the guest image.",
    hint: "Run `make build`; for virtual machines also `make image`.",
  },
  VNF_LIBVIRT: {
    exitCode: 10,
    summary: "libvirt refused a call, or its daemon cannot be started or reached.",
    hint: "Read the daemon's log lines above; `vnflab doctor` checks the installation.",
  },
  VNF_MACHINE_FAILED: {
    exitCode: 11,
    summary: "A machine could not be started, or it ended by itself.",
    hint: "Read the machine's last console lines.",
  },
  VNF_NOT_READY: {
    exitCode: 12,
    summary: "A rung of the readiness ladder was not reached before its deadline.",
    hint: "Read what was seen last; on a slow host raise `deadlines` in the lab file.",
  },
  VNF_SWITCH_FAILED: {
    exitCode: 13,
    summary: "The switch did not start, ended by itself, or refused a request.",
    hint: "Read the switch's last log lines.",
  },
  VNF_GUEST_COMMAND: {
    exitCode: 14,
    summary: "A command or file operation inside a machine could not be carried out.",
    hint: "Check the path, and that the machine is ready (`vnflab status NAME`).",
  },
  VNF_LAB_EXISTS: {
    exitCode: 15,
    summary: "A lab of this name already runs from another lab file.",
    hint: "Run `vnflab down NAME` first, or give the lab another name.",
  },
  VNF_LAB_UNKNOWN: {
    exitCode: 16,
    summary: "There is no lab, or no machine or link in it, of that name.",
    hint: "Run `vnflab status` to see what exists.",
  },
  VNF_LAB_LOCKED: {
    exitCode: 17,
    summary: "Another vnflab command is changing this lab.",
    hint: "Wait for it to end.",
  },
  VNF_PATH_TOO_LONG: {
    exitCode: 18,
    summary: "A socket path would be longer than the 107 bytes that the kernel allows.",
    hint: "Set VNFLAB_RUN to a shorter folder, or shorten the lab's name.",
  },
  VNF_RESOURCES: {
    exitCode: 19,
    summary: "The host has too little memory, addresses or disk space for the lab.",
    hint: "Ask for less in the lab file, or free something.",
  },
  VNF_CLEANUP: {
    exitCode: 20,
    summary: "Something of the lab could not be removed.",
    hint: "Run `vnflab down NAME` again; the message names what is left.",
  },
  VNF_FILES: {
    exitCode: 21,
    summary: "A file or folder of the lab cannot be read or written.",
    hint: "Check rights and free space, or set VNFLAB_STATE and VNFLAB_RUN to other folders.",
  },
  VNF_FILE_EXISTS: {
    exitCode: 22,
    summary: "A new file would have to overwrite one that is there.",
    hint: "Choose another name, or remove the file.",
  },
  VNF_SWITCH_PORTS: {
    exitCode: 26,
    summary: "The lab has more NICs than one switch has ports.",
    hint: "Make two labs of it, or give machines fewer NICs; queues of one NIC do not count.",
  },
  VNF_PLACE_LOST: {
    exitCode: 35,
    summary: "The connection to where the machines run (a container, another host) was lost, or never came up.",
    hint: "See whether the container or the host is still there; `vnflab down NAME` removes what is left.",
  },
  VNF_NOT_AS_ASKED: {
    exitCode: 32,
    summary: "The lab runs otherwise than its file asks for; what would be measured would not be what it claims to be.",
    hint: "Run `vnflab down NAME` and `up` again; if it stays, the message names what the host or the template lost.",
  },
  VNF_RECORD_INVALID: {
    exitCode: 31,
    summary: "The record of a lab is cut short or of another version: what the lab was made of is not known.",
    hint: "Run `vnflab gc`, or `vnflab down NAME`: both find what carries the lab's marks and remove it.",
  },
  VNF_NO_ANSWER: {
    exitCode: 50,
    summary: "A machine, the switch or the connection to them did not answer within the deadline.",
    hint: "`vnflab status NAME` and `vnflab logs NAME` show what still lives; on a slow host raise --deadline.",
  },
  VNF_PLACE_UNSUPPORTED: {
    exitCode: 36,
    summary: "Machines cannot run there: parts of one lab at several places, or an engine whose files are elsewhere.",
    hint: "docs/guides/places.md lists what can run where.",
  },
  VNF_DOCKER_ENGINE: {
    exitCode: 37,
    summary: "No Docker engine answers, it is too old, or it refused a request.",
    hint: "Start the engine (`systemctl start docker`), or name another: `--set host.docker=unix:///path`.",
  },
  VNF_DOCKER_IMAGE: {
    exitCode: 38,
    summary: "The container image of the lab is not there, or cannot be built.",
    hint: "Run `vnflab image build host`.",
  },
  VNF_SSH: {
    exitCode: 39,
    summary: "The other host cannot be reached by ssh, or does not let this user in.",
    hint: "Try `ssh DESTINATION true`; it must work without a question.",
  },
  VNF_SSH_HOST_KEY: {
    exitCode: 40,
    summary: "The other host's key is not the known one, or none is known.",
    hint: "Compare its fingerprint, then `ssh-keyscan -H HOST >> ~/.ssh/known_hosts`.",
  },
  VNF_UNSUPPORTED: {
    exitCode: 41,
    summary: "This kind of machine, or this QEMU, libvirt or switch, cannot do what was asked for.",
    hint: "docs/reference/libvirt-driver.md tells what each kind of machine can do.",
  },
  VNF_SNAPSHOT: {
    exitCode: 42,
    summary: "There is no snapshot of that name, there is one already, or it does not fit the lab.",
    hint: "Run `vnflab snapshot ls LAB` to see what exists.",
  },
  VNF_NOTHING_TESTED: {
    exitCode: 43,
    summary: "No case of the suites ran: all were skipped or blocked.",
    hint: "The report says why for each case; `vnflab test LAB --list` shows what there is.",
  },
  VNF_COPY: {
    exitCode: 44,
    summary: "A file or folder could not be copied into a machine or out of it; nothing of it was left behind.",
    hint: "Check that the source exists and that the target's folder can be written to.",
  },
  VNF_TEMPLATE_SCHEMA: {
    exitCode: 45,
    summary: "A domain template breaks libvirt's schema: libvirt would refuse the domain, or ignore what is misspelt.",
    hint: "Correct the line that the message names; `vnflab template lint FILE` checks without starting anything.",
  },
  VNF_IMAGE_INVALID: {
    exitCode: 46,
    summary: "A disk image, of the lab file or of a template, is not there or is not what it was said to be.",
    hint: "Check the path, which is relative to the file that names it, and `qemu-img info` of the image.",
  },
  VNF_RESULTS_INVALID: {
    exitCode: 47,
    summary: "The folder of a run is damaged, of another version of vnflab, or holds no run.",
    hint: "`vnflab experiment run` makes such a folder; copy one that is damaged anew from where it was made.",
  },
  VNF_RUNS_DIFFER: {
    exitCode: 52,
    summary: "Runs do not belong together: other experiments, conditions or hosts, or no cell in common.",
    hint: "`vnflab results show RUN` tells what each run is of.",
  },
  VNF_CAPTURE: {
    exitCode: 28,
    summary: "A capture cannot be begun, or broke off because the switch ended.",
    hint: "Check that the lab runs (`vnflab status NAME`); what was captured before is in the file.",
  },
  VNF_SWITCH_NAMES: {
    exitCode: 29,
    summary: "The bessd that the lab is to be attached to has ports or modules with this lab's mark already.",
    hint: "Run `vnflab down NAME` where the lab was brought up, or remove them with bessctl.",
  },
  VNF_INTERNAL: {
    exitCode: 70,
    summary: "A bug in vnflab.",
    hint: "Please report it with the message and the stack trace (VNFLAB_DEBUG=1).",
  },
  VNF_INTERRUPTED: {
    exitCode: 130,
    summary: "The command was interrupted (SIGINT or SIGTERM); what it had started was removed.",
    hint: "Nothing to mend.",
  },
} as const satisfies Record<string, ErrorEntry>;

export type ErrorCode = keyof typeof ERROR_CODES;

export interface ErrorDetails {
  /** How to mend it, when more is known than the code's own hint. */
  readonly hint?: string;
  readonly cause?: unknown;
  /** Last lines of the log that shows the failure, with the file they come from. */
  readonly log?: LogExcerpt;
  /** Other logs that tell of the same moment, such as the switch's beside a machine's. */
  readonly moreLogs?: readonly LogExcerpt[];
}

export interface LogExcerpt {
  readonly file: string;
  readonly lines: readonly string[];
}

export class VnflabError extends Error {
  override readonly name = "VnflabError";
  readonly code: ErrorCode;
  readonly hint: string;
  readonly exitCode: number;
  readonly log: ErrorDetails["log"];
  readonly moreLogs: ErrorDetails["moreLogs"];

  constructor(code: ErrorCode, message: string, details: ErrorDetails = {}) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause });
    this.code = code;
    this.hint = details.hint ?? ERROR_CODES[code].hint;
    this.exitCode = ERROR_CODES[code].exitCode;
    this.log = details.log;
    this.moreLogs = details.moreLogs;
    errors.publish(this);
  }

  /** The form in which --json output and the journal carry an error. */
  toJSON(): Pick<VnflabError, "code" | "message" | "hint" | "exitCode"> & Pick<ErrorDetails, "log" | "moreLogs"> {
    const { code, message, hint, exitCode, log, moreLogs } = this;
    return { code, message, hint, exitCode, ...(log ? { log } : {}), ...(moreLogs ? { moreLogs } : {}) };
  }
}

/** What a system call says when the user's files, not the program, are the matter. */
const FILE_TROUBLE = ["EACCES", "EPERM", "EROFS", "ENOSPC", "EDQUOT", "ENOTDIR", "EISDIR", "EMFILE"];

/** Anything thrown, as a VnflabError; what is not one is a bug or a failure nobody foresaw. */
export function asVnflabError(thrown: unknown): VnflabError {
  if (thrown instanceof VnflabError) return thrown;
  const message = thrown instanceof Error ? thrown.message : String(thrown);
  const code = thrown instanceof Error && "code" in thrown ? String(thrown.code) : "";
  return new VnflabError(FILE_TROUBLE.includes(code) ? "VNF_FILES" : "VNF_INTERNAL", message, { cause: thrown });
}
