#include "operations/artifact_in_use.hpp"

#include <fcntl.h>

#include "adapters/store/build_files.hpp"
#include "adapters/store/files.hpp"

namespace left4me::operations {

Fd open_artifact_in_use(const Paths& paths, const Rollbacks& rollbacks, const std::string& name) {
    const Fd place(
        ::open((paths.overlays() / name).c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
    if (!place) return {};
    if (const auto rollback = rollbacks.find(name); rollback != rollbacks.end()) {
        if (Fd artifact = store::open_directory(place.get(), rollback->second.artifact)) return artifact;
    }
    const Fd build = store::open_directory(place.get(), store::build_directory);
    const auto built = build ? store::read_record(build.get()).artifact : std::nullopt;
    return built ? store::open_directory(place.get(), built->digest) : Fd();
}

}  // namespace left4me::operations
