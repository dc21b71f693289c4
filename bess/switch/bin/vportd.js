#!/usr/bin/env node
// SPDX-License-Identifier: BSD-3-Clause
import { main } from "../dist/main.js";

process.exit(await main(process.argv));
