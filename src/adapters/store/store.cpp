#include "adapters/store/store.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <system_error>
#include <utility>

#include "adapters/digest.hpp"
#include "adapters/files.hpp"
#include "adapters/store/artifact_info.hpp"
#include "adapters/store/build_files.hpp"
#include "adapters/store/copy.hpp"
#include "adapters/store/digest_cache.hpp"
#include "adapters/store/executed_configs.hpp"
#include "adapters/store/files.hpp"
#include "adapters/store/observe.hpp"
#include "adapters/store/rendering.hpp"
#include "adapters/store/script_files.hpp"
#include "adapters/store/secrets.hpp"
#include "adapters/store/source_reader.hpp"
#include "adapters/store/tree.hpp"
#include "specs/name.hpp"
#include "specs/placeholders.hpp"
#include "specs/writable.hpp"

namespace left4me {

using namespace store;

namespace {

// Not for others: files that an operator hides from local users must not become readable by being copied.
constexpr mode_t overlay_mode = 0750;   // overlays/NAME
constexpr mode_t instance_mode = 0750;  // instances/NAME

std::expected<Fd, std::string> open_place(const std::filesystem::path& path) {
    Fd directory(::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (!directory) return io_error(path.string());
    return directory;
}

/// Takes the lock of one directory of the store (`what` names it), held while it is open. The lock is a
/// separate file in a directory that only left4me may enter, because others can open the directories
/// themselves and could lock them.
std::expected<Fd, std::string> lock(const Paths& paths, const std::string& what) {
    const std::filesystem::path directory = paths.locks();
    std::error_code ignored;
    std::filesystem::create_directories(directory.parent_path(), ignored);
    if (::mkdir(directory.c_str(), 0700) != 0 && errno != EEXIST) return io_error(directory.string());
    std::string name = what;
    std::replace(name.begin(), name.end(), '/', '.');
    auto held = hold_lock_file(directory / name);
    if (held) return std::move(*held);
    errno = held.error();
    return io_error("locking " + what);
}

/// A directory in which nobody else works.
struct Workplace {
    Fd lock;
    Fd directory;

    int get() const { return directory.get(); }
};

/// `kind/name`, created if it does not exist, locked, and without leftovers of killed runs.
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

/// `overlays/NAME/.build`, created if it does not exist.
std::expected<Fd, std::string> make_build_place(const Paths& paths, const std::string& overlay) {
    const auto place = open_place(paths.overlays());
    if (!place) return std::unexpected(place.error());
    const auto directory = make_directory(place->get(), overlay, overlay_mode);
    if (!directory) return std::unexpected(directory.error());
    return make_build_directory(directory->get());
}

bool exists(int directory, const std::string& name) {
    return ::faccessat(directory, name.c_str(), F_OK, AT_SYMLINK_NOFOLLOW) == 0;
}

UnitBuild read_build(const Paths& paths, const std::string& overlay) {
    UnitBuild build;
    const Fd directory = open_build_directory(paths, overlay);
    if (!directory) return build;
    build.record = read_record(directory.get());
    build.canceled = read_canceled(directory.get());
    build.canceled_at = time_of_canceling(directory.get());
    build.requested = time_of_request(directory.get());
    // Somebody may have removed it.
    const auto& artifact = build.record.artifact;
    if (artifact && !exists(directory.get(), "../" + artifact->digest)) build.record.artifact.reset();
    return build;
}

/// It may have been removed by hand, and the file of rollbacks edited.
bool has_artifact(const Paths& paths, const std::string& overlay, const Rollback& rollback) {
    return is_digest(rollback.artifact) &&
           ::faccessat(AT_FDCWD, (paths.overlays() / overlay / rollback.artifact).c_str(), F_OK,
                       AT_SYMLINK_NOFOLLOW) == 0;
}

std::unexpected<Error> failure(std::string message) {
    return std::unexpected(Error{FailureKind::IOError, std::move(message)});
}

Store::Done as_done(const Done& done) {
    if (done) return {};
    return failure(done.error());
}

/// Writes into the empty directory and checks what is there: that is what servers will see. `info` is told
/// what was written.
Store::Done fill(int destination, const InlineSource& source, const std::string& digest, ArtifactInfo& info) {
    if (auto wrote = write_inline(source.files, destination); !wrote) return failure(wrote.error());
    const auto tree = scan_tree(destination);
    if (!tree) return failure(tree.error());
    const auto found = digest_tree(destination, *tree);
    if (!found) return failure(found.error());
    if (*found != digest) return failure(fmt::format("wanted artifact {}, wrote {}", digest, *found));
    info.bytes = tree->bytes;
    info.files = source.files.size();
    // Nobody compares artifacts with their sources later, so an artifact's name must never refer to
    // half-written files, even after a power cut.
    if (::syncfs(destination) != 0) return failure(io_error("writing to disk").error());
    return {};
}

Done sync_place(const std::filesystem::path& path) {
    const auto place = open_place(path);
    if (!place) return std::unexpected(place.error());
    if (::syncfs(place->get()) != 0) return io_error(path.string());
    return {};
}

/// Renames atomically, then removes: if killed in between, nothing is left that looks complete.
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

Store::Store(Paths paths, std::optional<std::chrono::milliseconds> timeout)
    : paths_(std::move(paths)),
      digests_(std::make_unique<DigestCache>(paths_.status() / "digests")),
      configs_(std::make_unique<ExecutedConfigs>(paths_)),
      sources_(std::make_unique<SourceReader>(timeout)) {}
Store::~Store() = default;

Readiness Store::readiness() const { return sources_->readiness(); }
bool Store::drain() { return sources_->drain(); }

Inputs Store::read_inputs(const Desired& desired, const Rollbacks& rollbacks) {
    Inputs inputs;
    for (const auto& [name, source] : desired.overlays) {
        OverlayInput& input = inputs.overlays[name];
        std::visit(Overloaded{
                       [](const DirectorySource&) {},  // below, all together
                       [&](const InlineSource& files) { input.artifact = digest_inline(files.files); },
                       [&](const ArchiveSource& archive) {
                           input.build = read_build(paths_, name);
                           input.build->input = fingerprint(archive);
                       },
                       [&](const GitSource& git) {
                           input.build = read_build(paths_, name);
                           input.build->input = fingerprint(git);
                       },
                       [&](const MapIndexSource& index) {
                           input.build = read_build(paths_, name);
                           input.build->input = fingerprint(index);
                       },
                       [&](const WorkshopSource& workshop) {
                           input.build = read_build(paths_, name);
                           input.build->input = fingerprint(workshop);
                       },
                       [&](const SteamSource& steam) {
                           input.build = read_build(paths_, name);
                           input.build->input = fingerprint(steam);
                       },
                       [&](const ScriptSource& script) {
                           input.build = read_build(paths_, name);
                           input.build->input = fingerprint(script);
                       },
                   },
                   source);
    }
    for (auto& [name, known] : sources_->read(desired.overlays)) {
        OverlayInput& input = inputs.overlays[name];
        input.build = read_build(paths_, name);
        if (!known) {
            input.error =
                InputError{InputErrorKind::Unread, "its files are being looked at for the first time"};
        } else if (*known) {
            input.build->input = std::move(**known);
        } else {
            input.error = InputError{InputErrorKind::Source, std::move(known->error())};
        }
    }
    for (auto& [name, input] : inputs.overlays) {
        if (const auto rollback = rollbacks.find(name);
            rollback != rollbacks.end() && has_artifact(paths_, name, rollback->second))
            input.rolled_back_to = rollback->second.artifact;
    }
    read_configs(desired, inputs);
    const auto as_secret =
        [](std::expected<std::string, std::string> text) -> std::expected<std::string, InputError> {
        if (text) return std::move(*text);
        return std::unexpected(InputError{InputErrorKind::Secret, std::move(text.error())});
    };
    Secrets secrets(paths_);
    for (const auto& [name, server] : desired.servers) {
        for (const std::string& file : secrets_in(server.config)) {
            if (!inputs.secrets.contains(file)) inputs.secrets.emplace(file, as_secret(secrets.lookup(file)));
        }
    }
    if (!inputs.secrets.empty()) inputs.key = as_secret(secrets.key());
    return inputs;
}

void Store::read_configs(const Desired& desired, Inputs& inputs) {
    const auto refused = [](std::string message) {
        return std::unexpected(InputError{InputErrorKind::Source, std::move(message)});
    };
    const std::set<std::string> names = executed_overlays(desired);
    configs_->keep(names);
    for (const std::string& name : names) {
        const auto source = desired.overlays.find(name);
        const auto known = inputs.overlays.find(name);
        if (source == desired.overlays.end() || known == inputs.overlays.end()) continue;
        OverlayInput& input = known->second;
        const auto read_from = [&](const std::string& artifact) {
            auto read = configs_->read(name, artifact);
            if (read) {
                input.config = std::move(*read);
            } else {
                input.config = refused(std::move(read.error()));
            }
        };
        if (input.rolled_back_to) {
            read_from(*input.rolled_back_to);
        } else if (const auto* text = std::get_if<InlineSource>(&source->second)) {
            const auto file = text->files.find(server_config);
            if (file == text->files.end()) {
                input.config = refused(fmt::format("it has no {}", server_config));
            } else {
                input.config = std::make_shared<const std::string>(file->second);
            }
        } else if (input.build && input.build->is_built()) {
            read_from(input.build->record.artifact->digest);
        }
    }
}

void Store::observe(const Target& target, Observed& observed) {
    Observer(paths_, *digests_, target, observed).run();
}

void Store::read_progress(std::map<std::string, ObservedBuild>& builds) const {
    for (auto& [name, build] : builds) {
        if (const Fd directory = open_build_directory(paths_, name))
            build.progress = store::read_progress(directory.get());
    }
}

Store::Done Store::request_build(const std::string& overlay, const OverlaySource& source) {
    if (!is_valid_name(overlay)) return failure("not the name of an overlay");
    if (runs_script(source) && overlay.size() > max_script_name) {
        return failure(
            fmt::format("an overlay that a script makes may have a name of at most {} characters, "
                        "because a user is named after it; choose a shorter one",
                        max_script_name));
    }
    const ExactModes exact;
    const auto build = make_build_place(paths_, overlay);
    if (!build) return failure(build.error());
    return as_done(write_request(build->get(), source));
}

Store::Done Store::request_check(const std::string& overlay, const CheckRequest& request) {
    if (!is_valid_name(overlay)) return failure("not the name of an overlay");
    const ExactModes exact;
    const auto build = make_build_place(paths_, overlay);
    if (!build) return failure(build.error());
    return as_done(write_check(build->get(), request));
}

Store::Done Store::cancel_build(const std::string& overlay, const std::string& input) {
    const Fd directory = open_build_directory(paths_, overlay);
    if (!directory) return failure(io_error(overlay).error());
    return as_done(write_canceled(directory.get(), input));
}

Store::Done Store::build(const std::string& overlay, const InlineSource& source, const std::string& digest) {
    if (!is_valid_name(overlay) || !is_digest(digest)) return failure("not the name of a generation");
    const ExactModes exact;
    const auto place = open_workplace(paths_, "overlays", overlay, overlay_mode);
    if (!place) return failure(place.error());
    if (exists(place->get(), digest)) return {};
    const std::string fresh = "." + digest;
    const auto directory = make_directory(place->get(), fresh, overlay_directory_mode);
    if (!directory) return failure(directory.error());
    ArtifactInfo info{.built =
                          std::chrono::floor<std::chrono::microseconds>(std::chrono::system_clock::now())};
    auto filled = fill(directory->get(), source, digest, info);
    if (filled) filled = as_done(write_info(place->get(), digest, info));
    if (filled && ::renameat(place->get(), fresh.c_str(), place->get(), digest.c_str()) != 0) {
        filled = failure(io_error(digest).error());
    }
    if (filled) return {};
    if (auto removed = remove_tree(place->get(), fresh); !removed)
        filled.error().message += "; " + removed.error();
    return filled;
}

Store::Done Store::render(const TargetRendering& target) {
    if (!is_valid_name(target.name()) || !is_digest(target.digest())) {
        return failure("not a rendering");
    }
    const ExactModes exact;
    const auto place = open_workplace(paths_, "instances", target.name(), instance_mode);
    if (!place) return failure(place.error());
    if (auto wrote = write_rendering(place->get(), make_rendering(target)); !wrote)
        return failure(wrote.error());
    return as_done(replace_symlink(place->get(), "current", target.digest()));
}

Store::Done Store::revert(const std::string& server, const std::string& digest) {
    if (!is_valid_name(server) || !is_digest(digest)) return failure("not a rendering");
    const ExactModes exact;
    const auto place = open_workplace(paths_, "instances", server, instance_mode);
    if (!place) return failure(place.error());
    if (!exists(place->get(), digest)) return failure(fmt::format("there is no rendering {}", digest));
    return as_done(replace_symlink(place->get(), "current", digest));
}

Store::Done Store::sync() {
    if (auto done = sync_place(paths_.overlays()); !done) return failure(done.error());
    return as_done(sync_place(paths_.instances()));
}

Store::Done Store::unmanage(const std::string& server) {
    if (!is_valid_name(server)) return failure("not the name of a server");
    const auto place = open_place(paths_.instances());
    if (!place) return failure(place.error());
    if (auto swept = sweep(place->get()); !swept) return failure(swept.error());
    return as_done(remove_aside(place->get(), server));
}

Store::Done Store::prune(const std::string& path) {
    const std::filesystem::path whole(path);
    const std::filesystem::path parent = whole.parent_path();
    const std::string kind = parent.parent_path().string();
    const std::string owner = parent.filename().string();
    const std::string digest = whole.filename().string();
    if ((kind != "overlays" && kind != "instances") || !is_valid_name(owner) ||
        (!is_digest(digest) && digest != build_directory)) {
        return failure(path + " is not the name of a generation");
    }
    const auto above = open_place(paths_.state / kind);
    if (!above) return failure(above.error());
    const auto held = lock(paths_, kind + "/" + owner);
    if (!held) return failure(held.error());
    const Fd place = open_directory(above->get(), owner);
    if (!place) {
        if (errno == ENOENT) return {};
        return failure(io_error(path).error());
    }
    if (auto swept = sweep(place.get()); !swept) return failure(swept.error());
    if (digest == build_directory) {
        // A build holds this lock.
        const Fd directory = open_directory(place.get(), digest);
        if (directory && ::flock(directory.get(), LOCK_EX | LOCK_NB) != 0)
            return std::unexpected(Error{FailureKind::InUse, "a build of " + owner + " has begun meanwhile"});
    }
    if (kind == "overlays") {
        if (auto removed = remove_info(place.get(), digest); !removed) return failure(removed.error());
    }
    if (auto removed = remove_aside(place.get(), digest); !removed) return failure(removed.error());
    // An overlay without artifacts leaves nothing behind; a server's directory marks the server as managed.
    if (kind == "overlays") (void)::unlinkat(above->get(), owner.c_str(), AT_REMOVEDIR);
    return {};
}

}  // namespace left4me
