#pragma once

#include <functional>
#include <string>

#include "l4d2ctl/exit.hpp"
#include "operations/context.hpp"

namespace left4me::ctl {

/// The person at the keyboard: who called sudo, or else the user of this process. Call it before root is
/// dropped.
Authorship calling_person();

/// Runs `open` with this person's permissions: files that a person names are opened in it. For root itself,
/// and for everybody who did not use sudo, nothing changes.
Result<void> with_rights_of_caller(const std::function<void()>& open);

/// The login name of the sudo caller, whose permissions with_rights_of_caller() uses; "" if nothing changes.
std::string whose_rights();

/// The name of this host.
std::string host_name();

}  // namespace left4me::ctl
