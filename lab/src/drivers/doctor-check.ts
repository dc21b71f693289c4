/** A check of `vnflab doctor`: looks at one thing of the host, changes nothing that it does not put back. */
import type { Host } from "../host/host.js";
import type { Finding } from "../model/finding.js";

export interface DoctorCheck {
  readonly name: string;
  /** Never throws for what it looks for; what it throws is reported as a failure of the check. */
  look(host: Host): Promise<Omit<Finding, "check">>;
}
