#pragma once

#include "adapters/source/source.hpp"

namespace left4me::ctl {

/// The person at the keyboard: who became root by sudo, or else the user that this process runs as. Ask
/// before root is given up.
Authorship calling_person();

}  // namespace left4me::ctl
