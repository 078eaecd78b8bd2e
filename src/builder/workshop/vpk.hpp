#pragma once

#include "builder/result.hpp"

namespace left4me::builder {

/// An error if the file is no whole VPK, as parse_vpk() says.
Built<void> check_vpk(int file);

}  // namespace left4me::builder
