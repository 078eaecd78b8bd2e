#include "privileged/overlay/mounting.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/mount.h>

#include <array>
#include <utility>

#include "privileged/overlay/kernel.hpp"
#include "privileged/overlay/pinned.hpp"

namespace left4me::overlay {

namespace {

/// Set explicitly, because kernels are built with other defaults. All of them store data about the lower
/// layers in the upper directory, which outlives its layers here: with index=on, a changed stack fails with
/// ESTALE.
constexpr std::array<std::pair<const char*, const char*>, 5> options = {{{"index", "off"},
                                                                         {"metacopy", "off"},
                                                                         {"redirect_dir", "nofollow"},
                                                                         {"xino", "off"},
                                                                         {"nfs_export", "off"}}};

/// mount(2) copies one page and silently truncates longer options, even in the middle of the layers.
constexpr std::size_t max_option_bytes = 4095;

Result<> mount_by_context(const Stack& stack, const Runtime& runtime) {
    auto context = kernel::Context::open("overlay");
    if (!context) return std::unexpected(context.error());
    const auto set = [&context](const char* key, const std::string& value) {
        return context->set(key, value);
    };
    // Check every call: after a refused layer, the kernel would mount the layers that it has accepted so far.
    if (auto done = set("source", "overlay"); !done) return done;
    for (const Layer& layer : stack.layers) {
        if (auto done = set("lowerdir+", layer.name); !done) return done;
    }
    if (auto done = set("upperdir", runtime.upper_name()); !done) return done;
    if (auto done = set("workdir", runtime.work_name()); !done) return done;
    for (const auto& [key, value] : options) {
        if (auto done = set(key, value); !done) return done;
    }
    const auto mount = context->create(MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV);
    if (!mount) return std::unexpected(mount.error());
    if (::move_mount(mount->get(), "", runtime.merged.get(), "",
                     MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_EMPTY_PATH) != 0) {
        return system_failure("attaching the overlay");
    }
    return {};
}

Result<> mount_by_options(const Stack& stack, const Runtime& runtime) {
    std::string tail = fmt::format(",upperdir={},workdir={}", runtime.upper_name(), runtime.work_name());
    for (const auto& [key, value] : options) tail += fmt::format(",{}={}", key, value);
    std::string data = "lowerdir=";
    std::size_t fitting = 0;
    for (const Layer& layer : stack.layers) {
        if (fitting > 0) data += ':';
        data += layer.name;
        if (data.size() + tail.size() > max_option_bytes) break;
        ++fitting;
    }
    if (fitting < stack.layers.size()) {
        return fail(
            Failure::System,
            fmt::format("{} layers, but the kernel's mount(2) takes {} bytes of options and so no more "
                        "than the first {} (Linux 6.8 and later take {} layers)",
                        stack.layers.size(), max_option_bytes, fitting, max_layers));
    }
    data += tail;
    const std::string target = kernel::descriptor_path(runtime.merged.get());
    if (::mount("overlay", target.c_str(), "overlay", MS_NOSUID | MS_NODEV, data.c_str()) != 0) {
        return system_failure("mounting the overlay (see the kernel log)");
    }
    return {};
}

}  // namespace

MountApi best_mount_api() { return kernel::takes_single_layers() ? MountApi::Context : MountApi::Options; }

Result<> mount_stack(const Stack& stack, const Runtime& runtime, MountApi api) {
    const auto names = PinnedNames::make();
    if (!names) return std::unexpected(names.error());
    for (const Layer& layer : stack.layers) {
        if (auto done = names->pin(layer.name, layer.directory.get()); !done) return done;
    }
    if (auto done = names->pin(runtime.upper_name(), runtime.upper.get()); !done) return done;
    if (auto done = names->pin(runtime.work_name(), runtime.work.get()); !done) return done;
    const auto inside = WorkingDirectory::enter(names->directory());
    if (!inside) return std::unexpected(inside.error());
    return api == MountApi::Context ? mount_by_context(stack, runtime) : mount_by_options(stack, runtime);
}

}  // namespace left4me::overlay
