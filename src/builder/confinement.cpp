#include "builder/confinement.hpp"

#include <cerrno>

#include "adapters/store/files.hpp"

namespace left4me::builder {

Built<void> confine_build(Confinement confinement) {
    const auto confined = confine(confinement);
    if (confined) return {};
    errno = confined.error();
    return own_failure(confined.error(), store::io_error("seccomp").error());
}

}  // namespace left4me::builder
