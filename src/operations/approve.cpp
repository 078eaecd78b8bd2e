#include "operations/approve.hpp"

#include <fmt/format.h>

#include "adapters/source/revision.hpp"
#include "operations/lock.hpp"
#include "operations/view.hpp"

namespace left4me::operations {

namespace {

/// Of a commit id, as git prints it where it is short.
constexpr std::size_t shortest = 7;

}  // namespace

Result<std::string> approve(Context& context, const std::string& revision) {
    const auto lock = lock_host(context);
    if (!lock) return std::unexpected(lock.error());
    const auto in_force = read_source(context);
    if (!in_force) return std::unexpected(in_force.error());
    // Agreeing to something else than what stands there now is a misunderstanding that would stop servers.
    const std::string& stands = in_force->offered.empty() ? in_force->snapshot.revision : in_force->offered;
    if (revision.size() < shortest || !stands.starts_with(revision)) {
        return fail(
            ErrorKind::NotFound,
            fmt::format("the source's revision is {}, not {}; look at l4d2ctl diff again", stands, revision));
    }
    if (auto approved = left4me::approve(context.paths, stands); !approved)
        return fail(ErrorKind::StateFailed, approved.error());
    return stands;
}

}  // namespace left4me::operations
