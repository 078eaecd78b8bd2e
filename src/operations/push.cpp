#include "operations/push.hpp"

#include "adapters/git/manifest_repository.hpp"
#include "adapters/source/revision.hpp"

namespace left4me::operations {

Result<void> check_pushed(const Context& context, const std::filesystem::path& repository,
                          const std::string& commit, const std::string& objects) {
    GitSettings pushed = context.config.git.value_or(GitSettings{});
    pushed.repository = repository;
    ManifestRepository source(pushed, context.config.limits);
    const auto snapshot = source.read_pushed(commit, objects);
    if (!snapshot) return fail(ErrorKind::InvalidManifest, snapshot.error().message);
    if (const auto set = load_snapshot(*snapshot, context.config.limits); !set)
        return fail(ErrorKind::InvalidManifest, set.error().message);
    return {};
}

}  // namespace left4me::operations
