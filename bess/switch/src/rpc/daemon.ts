// SPDX-License-Identifier: BSD-3-Clause
import type { Handlers } from "./handlers.js";

export const daemonHandlers: Handlers = {
  GetVersion: ({ options }) => ({ version: options.version }),

  ResetAll(sw) {
    sw.resetAll();
    return {};
  },

  KillBess(sw) {
    sw.workers.pauseAll();
    sw.options.onKill();
    return {};
  },

  ListPlugins: () => ({ paths: [] }),

  DumpMempool({ plane }, { socket }) {
    // There is one pool; it serves all sockets.
    if (socket > 0) return { dumps: [] };
    const pool = plane.poolInfo();
    return {
      dumps: [
        {
          socket: 0,
          initialized: true,
          mp_size: pool.size,
          mp_cache_size: pool.cacheSize,
          mp_element_size: pool.elementSize,
          mp_populated_size: pool.populated,
          mp_available_count: pool.available,
          mp_in_use_count: pool.inUse,
        },
      ],
    };
  },
};
