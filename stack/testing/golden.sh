#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
# Writes the golden files of the C tests anew. Usage: stack/testing/golden.sh [build directory]
set -eu
cd "$(dirname "$0")/../.."
build=${1:-build/c}
VNFLAB_GOLDEN=update "$build/stack/test_matrix_tcp"
