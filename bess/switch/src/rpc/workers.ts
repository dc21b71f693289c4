// SPDX-License-Identifier: BSD-3-Clause
import { invalid } from "../errors.js";
import type { Handlers } from "./handlers.js";

export const workerHandlers: Handlers = {
  PauseAll({ workers }) {
    workers.pauseAll();
    return {};
  },

  ResumeAll({ workers }) {
    workers.resumeAll();
    return {};
  },

  PauseWorker({ workers }, { wid }) {
    workers.pause(workers.get(wid));
    return {};
  },

  ResumeWorker({ workers }, { wid }) {
    workers.resume(workers.get(wid));
    return {};
  },

  ResetWorkers(sw) {
    sw.resetWorkers();
    return {};
  },

  ListWorkers: ({ workers }) => ({
    workers_status: [...workers].map((worker) => ({
      wid: worker.wid,
      core: worker.core,
      running: worker.running,
      num_tcs: worker.tasks.length,
      silent_drops: workers.silentDrops(worker),
    })),
  }),

  AddWorker({ workers }, { wid, core, scheduler }) {
    workers.add(wid, core, scheduler);
    return {};
  },

  DestroyWorker({ workers, tcs }, { wid }) {
    workers.destroy(wid);
    tcs.dropWorker(wid);
    return {};
  },

  ResetTcs({ workers, tcs }) {
    workers.whilePaused(() => tcs.reset());
    return {};
  },

  ListTcs: ({ tcs }, { wid }) => ({ classes_status: tcs.list(wid) }),

  // Round-robin on one level has no constraint that could be violated.
  CheckSchedulingConstraints: () => ({ fatal: false }),

  AddTc({ workers, tcs }, { class: tc }) {
    if (tc === null) throw invalid("Missing 'name' field");
    workers.whilePaused(() => tcs.add(tc));
    return {};
  },

  UpdateTcParent({ workers, tcs }, { class: tc }) {
    if (tc === null) throw invalid("Missing 'class' field");
    workers.whilePaused(() => tcs.updateParent(tc));
    return {};
  },
};
