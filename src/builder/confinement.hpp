#pragma once

#include "adapters/confinement/confinement.hpp"
#include "builder/result.hpp"

namespace left4me::builder {

/// left4me::confine(), with the error of a build.
Built<void> confine_build(Confinement confinement);

}  // namespace left4me::builder
