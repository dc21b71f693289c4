import { describe, expect, it } from "vitest";
import { checkIncludes, type SourceFile } from "./c-layers.js";

const tree: SourceFile[] = [
  "stack/src/base/seq.h",
  "stack/src/wire/tcp.h",
  "stack/src/tcp/tcp.h",
  "stack/src/udp/udp.h",
  "stack/src/netif/netif.h",
  "stack/src/netif/dpdk/dpdk.h",
  "stack/src/sock/sock.h",
  "stack/src/worker/worker.h",
  "stack/testing/world.h",
  "stack/include/mtcp_api.h",
  "bess/switch/dataplane/module.h",
].map((path) => ({ path, text: "" }));

function messages(path: string, include: string): string[] {
  return checkIncludes([...tree, { path, text: `/* a file */\n#include ${include}\n` }]).map(
    (v) => `${v.line}: ${v.message}`,
  );
}

describe("directions of the C layers", () => {
  it("keeps DPDK inside netif/dpdk and the switch's data plane", () => {
    expect(messages("stack/src/netif/tap.c", "<rte_mbuf.h>")).toHaveLength(1);
    expect(messages("stack/src/tcp/tcp_in.c", '"rte_ether.h"')).toHaveLength(1);
    expect(messages("stack/testing/world.c", "<rte_mbuf.h>")).toHaveLength(1);
    expect(messages("stack/src/netif/dpdk/dpdk.c", "<rte_mbuf.h>")).toEqual([]);
    expect(messages("bess/switch/dataplane/queue_inc.c", "<rte_mbuf.h>")).toEqual([]);
  });

  it("refuses tcp that includes netif, and names file, line and layers", () => {
    expect(messages("stack/src/tcp/tcp_out.c", '"netif/netif.h"')).toEqual([
      "2: layer tcp must not use layer netif (stack/src/netif/netif.h)",
    ]);
  });

  it("refuses siblings and upward includes", () => {
    expect(messages("stack/src/tcp/tcp_in.c", '"udp/udp.h"')).toHaveLength(1);
    expect(messages("stack/src/base/log.c", '"wire/tcp.h"')).toHaveLength(1);
    expect(messages("stack/src/sock/epoll.c", '"worker/worker.h"')).toHaveLength(1);
    expect(messages("stack/src/netif/tap.c", '"netif/dpdk/dpdk.h"')).toHaveLength(1);
    expect(messages("stack/src/netif/tap.c", '"dpdk/dpdk.h"')).toHaveLength(1);
  });

  it("allows what a layer reaches through the ones it names", () => {
    expect(messages("stack/src/sock/epoll.c", '"base/seq.h"')).toEqual([]);
    expect(messages("stack/src/worker/worker.c", '"netif/dpdk/dpdk.h"')).toEqual([]);
    expect(messages("stack/src/api/api.c", '"mtcp_api.h"')).toEqual([]);
  });

  it("keeps applications on the public headers", () => {
    expect(messages("stack/apps/epserver.c", '"mtcp_api.h"')).toEqual([]);
    expect(messages("stack/apps/epserver.c", '"tcp/tcp.h"')).toHaveLength(1);
  });

  it("keeps the test kit out of the library, and tests free to use it", () => {
    expect(messages("stack/src/tcp/tcp_in.c", '"testing/world.h"')).toHaveLength(1);
    expect(messages("stack/src/tcp/tcp_in_test.c", '"testing/world.h"')).toEqual([]);
  });

  it("keeps the public headers free of the inside, and stack and bess apart", () => {
    expect(messages("stack/include/cpu.h", '"../src/base/seq.h"')).toHaveLength(1);
    expect(messages("bess/switch/dataplane/merge.c", '"../../../stack/src/base/seq.h"')).toHaveLength(1);
  });
});
