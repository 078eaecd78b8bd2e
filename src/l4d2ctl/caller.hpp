#pragma once

#include <functional>
#include <string>

#include "l4d2ctl/exit.hpp"
#include "operations/context.hpp"

namespace left4me::ctl {

/// The person at the keyboard: who became root by sudo, or else the user that this process runs as. Ask
/// before root is given up.
Authorship calling_person();

/// Runs `open` with the rights that this person has: whatever file a person names is opened in it. For root
/// itself, and for everybody who did not come by sudo, nothing changes.
Result<void> with_rights_of_caller(const std::function<void()>& open);

/// The login name of who came by sudo, whose rights with_rights_of_caller() takes; "" if nothing changes.
std::string whose_rights();

/// What this host calls itself.
std::string host_name();

}  // namespace left4me::ctl
