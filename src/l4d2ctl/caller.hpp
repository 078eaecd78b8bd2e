#pragma once

#include <string>

#include "adapters/source/source.hpp"

namespace left4me::ctl {

/// The person at the keyboard: who became root by sudo, or else the user that this process runs as. Ask
/// before root is given up.
Authorship calling_person();

/// What an event calls them: the name they log in with. left4me itself, as the timer runs it, is nobody.
std::string actor_of(const Authorship& person);

/// What this host calls itself.
std::string host_name();

}  // namespace left4me::ctl
