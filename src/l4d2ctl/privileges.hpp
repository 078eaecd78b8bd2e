#pragma once

#include <sys/types.h>

#include <optional>
#include <string>

#include "l4d2ctl/exit.hpp"
#include "operations/context.hpp"

namespace left4me::ctl {

enum class Access {
    Read,  ///< only reads: any user may, as far as the host permits
    Act,   ///< changes manifests or the host: root or left4me
};

using operations::service_user;

/// A user of this host.
struct Account {
    uid_t user = 0;
    gid_t group = 0;
};
std::optional<Account> find_account(const char* name);

/// Root becomes user left4me for good, groups included; everybody else stays who they are, and may not Act.
/// Call it when all given files are open and nothing has been parsed. `verb` is for the message.
Result<void> give_up_privileges(Access access, const std::string& verb);

}  // namespace left4me::ctl
