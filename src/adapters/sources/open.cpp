#include "adapters/sources/open.hpp"

#include "adapters/directory/manifest_directory.hpp"
#include "adapters/git/manifest_repository.hpp"

namespace left4me {

std::unique_ptr<Source> open_source(const Paths& /*paths*/, const Config& config) {
    if (config.git) return std::make_unique<ManifestRepository>(*config.git, config.limits);
    return std::make_unique<ManifestDirectory>(config.source_directory, config.limits);
}

}  // namespace left4me
