#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
# Writes the golden files of the C tests and the conformance table anew. Usage: stack/testing/golden.sh [build directory]
set -eu
cd "$(dirname "$0")/../.."
build=${1:-build/c}
VNFLAB_GOLDEN=update "$build/stack/test_matrix_tcp"
stack/testing/conformance.sh write
