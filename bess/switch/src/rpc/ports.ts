// SPDX-License-Identifier: BSD-3-Clause
import { invalid, missing } from "../errors.js";
import { DRIVER } from "../state/ports.js";
import { type Handlers, now } from "./handlers.js";

export const portHandlers: Handlers = {
  ListDrivers: () => ({ driver_names: [DRIVER] }),

  GetDriverInfo(_sw, { driver_name }) {
    if (driver_name !== DRIVER) throw missing(`No port driver '${driver_name}' found`);
    return { name: DRIVER, help: "DPDK device by its device string (vdev)", commands: [] };
  },

  ResetPorts({ ports }) {
    ports.reset();
    return {};
  },

  ListPorts: ({ ports }) => ({
    ports: [...ports].map((port) => ({
      name: port.name,
      driver: DRIVER,
      mac_addr: port.mac,
      num_inc_q: port.incQueues,
      num_out_q: port.outQueues,
      size_inc_q: port.incSize,
      size_out_q: port.outSize,
      driver_arg: port.arg,
    })),
  }),

  CreatePort({ ports }, request) {
    const { name, mac } = ports.create(request);
    return { error: {}, name, mac_addr: mac };
  },

  DestroyPort({ ports }, { name }) {
    ports.destroy(name);
    return {};
  },

  SetPortConf({ ports, workers }, { name, conf }) {
    if (conf === null) throw invalid("Missing 'conf' field");
    workers.whilePaused(() => ports.configure(name, conf));
    return {};
  },

  GetPortConf({ ports }, { name }) {
    const { mac, mtu } = ports.info(name);
    return { conf: { mac_addr: mac, mtu, admin_up: ports.get(name).adminUp } };
  },

  GetPortStats: ({ ports }, { name }) => ({ ...ports.stats(name), timestamp: now() }),

  GetLinkStatus({ ports }, { name }) {
    const { link } = ports.info(name);
    return { speed: link.speedMbps, full_duplex: link.fullDuplex, autoneg: link.autoneg, link_up: link.up };
  },
};
