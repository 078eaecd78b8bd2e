#include "adapters/source/open.hpp"

#include "adapters/directory/manifest_directory.hpp"

namespace left4me {

std::unique_ptr<Source> open_source(const Paths& /*paths*/, const Config& config) {
    return std::make_unique<ManifestDirectory>(config.source_directory, config.limits);
}

}  // namespace left4me
