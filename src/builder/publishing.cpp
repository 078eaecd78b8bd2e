#include "builder/publishing.hpp"

#include <chrono>

#include "adapters/store/artifact_info.hpp"

namespace left4me::builder {

store::Done tell_built(int overlay, const Staged& staged, bool is_new,
                       const std::vector<store::RegularFile>& files) {
    store::ArtifactInfo info{.built = {}, .files = files.size()};
    for (const store::RegularFile& file : files) info.bytes += file.bytes;
    if (!is_new) info = store::read_info(overlay, staged.digest).value_or(info);
    info.titles = staged.titles;
    info.built = std::chrono::floor<std::chrono::microseconds>(std::chrono::system_clock::now());
    return store::write_info(overlay, staged.digest, info);
}

}  // namespace left4me::builder
