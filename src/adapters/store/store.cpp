#include "adapters/store/store.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>

#include "adapters/generation.hpp"
#include "adapters/store/copy.hpp"
#include "adapters/store/digest_cache.hpp"
#include "adapters/store/files.hpp"
#include "adapters/store/observe.hpp"
#include "adapters/store/rendering.hpp"
#include "adapters/store/source_reader.hpp"
#include "adapters/store/source_root.hpp"
#include "specs/name.hpp"

namespace left4me {

using namespace store;

namespace {

// Not for others: what an operator keeps from local users must not become readable by being copied.
constexpr mode_t overlay_mode = 0750;   // overlays/NAME
constexpr mode_t instance_mode = 0750;  // instances/NAME

std::expected<Fd, std::string> open_place(const std::filesystem::path& path) {
    Fd directory(::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (!directory) return io_error(path.string());
    return directory;
}

/// A directory in which nobody else is at work.
struct Workplace {
    Fd lock;
    Fd directory;

    int get() const { return directory.get(); }
};

/// `kind/name`, made if it is not there, locked and rid of what killed runs left in it.
std::expected<Workplace, std::string> open_workplace(const Paths& paths, const std::string& kind,
                                                     const std::string& name, mode_t mode) {
    const auto place = open_place(paths.state / kind);
    if (!place) return std::unexpected(place.error());
    auto held = lock(paths, kind + "/" + name);
    if (!held) return std::unexpected(held.error());
    auto directory = make_directory(place->get(), name, mode);
    if (!directory) return std::unexpected(directory.error());
    if (auto swept = sweep(directory->get()); !swept) return std::unexpected(swept.error());
    return Workplace{std::move(*held), std::move(*directory)};
}

bool exists(int directory, const std::string& name) {
    return ::faccessat(directory, name.c_str(), F_OK, AT_SYMLINK_NOFOLLOW) == 0;
}

std::unexpected<std::string> source_changed(const std::string& wanted, const std::string& found) {
    return std::unexpected(fmt::format(
        "SourceChanged: the source changed while it was copied (wanted {}, copied {})", wanted, found));
}

/// Copies into the empty directory and checks the copy, not the source: that is what servers will see.
Done fill(int destination, const OverlaySource& source, const std::string& generation) {
    if (const auto* files = std::get_if<InlineSource>(&source)) {
        if (auto wrote = write_inline(files->files, destination); !wrote) return wrote;
    } else {
        const auto& directory = std::get<DirectorySource>(source);
        const std::string& path = directory.path;
        const auto root = open_source(directory);
        if (!root) return std::unexpected(root.error());
        const auto tree = scan_tree(root->get(), directory.limits);
        if (!tree) return std::unexpected(fmt::format("{}: {}", path, tree.error()));
        if (auto copied = copy_tree(root->get(), *tree, destination); !copied) {
            return std::unexpected(fmt::format("{}: {}", path, copied.error()));
        }
    }
    const auto tree = scan_tree(destination);
    if (!tree) return std::unexpected(tree.error());
    const auto found = digest_tree(destination, *tree);
    if (!found) return std::unexpected(found.error());
    if (*found != generation) return source_changed(generation, *found);
    // Nobody compares generations with their sources later, so a name must never stand for half-written
    // files, power cut or not.
    if (::syncfs(destination) != 0) return io_error("writing to disk");
    return {};
}

Done sync_place(const std::filesystem::path& path) {
    const auto place = open_place(path);
    if (!place) return std::unexpected(place.error());
    if (::syncfs(place->get()) != 0) return io_error(path.string());
    return {};
}

/// Out of sight in one step, then away: killed in between, nothing is left that looks whole.
Done remove_aside(int directory, const std::string& name) {
    const std::string aside = "." + name;
    if (auto removed = remove_tree(directory, aside); !removed) return removed;
    if (::renameat(directory, name.c_str(), directory, aside.c_str()) != 0) {
        if (errno == ENOENT) return {};
        return io_error(name);
    }
    return remove_tree(directory, aside);
}

}  // namespace

Store::Store(Paths paths, std::optional<std::chrono::milliseconds> patience)
    : paths_(std::move(paths)),
      digests_(std::make_unique<DigestCache>(paths_.status() / "digests")),
      sources_(std::make_unique<SourceReader>(*digests_, patience)) {}
Store::~Store() = default;

Readiness Store::readiness() const { return sources_->readiness(); }
bool Store::drain() { return sources_->drain(); }

void Store::observe(const Desired& desired, Observed& observed) {
    Observer(paths_, *digests_, *sources_, desired, observed).run();
}

Store::Done Store::build(const std::string& overlay, const OverlaySource& source,
                         const std::string& generation) {
    if (!is_valid_name(overlay) || !is_generation(generation))
        return std::unexpected("not the name of a generation");
    const ExactModes exact;
    const auto place = open_workplace(paths_, "overlays", overlay, overlay_mode);
    if (!place) return std::unexpected(place.error());
    if (exists(place->get(), generation)) return {};
    const std::string fresh = "." + generation;
    const auto directory = make_directory(place->get(), fresh, overlay_directory_mode);
    if (!directory) return std::unexpected(directory.error());
    auto filled = fill(directory->get(), source, generation);
    if (filled && ::renameat(place->get(), fresh.c_str(), place->get(), generation.c_str()) != 0) {
        filled = io_error(generation);
    }
    if (filled) return {};
    if (auto removed = remove_tree(place->get(), fresh); !removed) filled.error() += "; " + removed.error();
    return filled;
}

Store::Done Store::render(const DesiredServer& server, const WantedRendering& wanted) {
    if (!is_valid_name(server.name) || !is_generation(wanted.generation) || wanted.layers.empty()) {
        return std::unexpected("not a rendering");
    }
    Secrets secrets(paths_);
    const auto rendering = make_rendering(server, {wanted.layers.begin() + 1, wanted.layers.end()}, secrets);
    if (!rendering) return std::unexpected(rendering.error());
    if (rendering->wanted != wanted) return source_changed(wanted.generation, rendering->wanted.generation);
    const ExactModes exact;
    const auto place = open_workplace(paths_, "instances", server.name, instance_mode);
    if (!place) return std::unexpected(place.error());
    if (auto wrote = write_rendering(place->get(), *rendering); !wrote) return wrote;
    return replace_symlink(place->get(), "current", wanted.generation);
}

Store::Done Store::sync() {
    if (auto done = sync_place(paths_.overlays()); !done) return done;
    return sync_place(paths_.instances());
}

Store::Done Store::forget(const std::string& server) {
    if (!is_valid_name(server)) return std::unexpected("not the name of a server");
    const auto place = open_place(paths_.instances());
    if (!place) return std::unexpected(place.error());
    if (auto swept = sweep(place->get()); !swept) return swept;
    return remove_aside(place->get(), server);
}

Store::Done Store::collect(const std::string& path) {
    const std::filesystem::path whole(path);
    const std::filesystem::path parent = whole.parent_path();
    const std::string kind = parent.parent_path().string();
    const std::string owner = parent.filename().string();
    const std::string generation = whole.filename().string();
    if ((kind != "overlays" && kind != "instances") || !is_valid_name(owner) || !is_generation(generation)) {
        return std::unexpected(path + " is not the name of a generation");
    }
    const auto above = open_place(paths_.state / kind);
    if (!above) return std::unexpected(above.error());
    const auto held = lock(paths_, kind + "/" + owner);
    if (!held) return std::unexpected(held.error());
    const Fd place = open_directory(above->get(), owner);
    if (!place) {
        if (errno == ENOENT) return {};
        return io_error(path);
    }
    if (auto swept = sweep(place.get()); !swept) return swept;
    if (auto removed = remove_aside(place.get(), generation); !removed) return removed;
    // An overlay without generations leaves nothing; a server's directory is what makes the server ours.
    if (kind == "overlays") (void)::unlinkat(above->get(), owner.c_str(), AT_REMOVEDIR);
    return {};
}

}  // namespace left4me
