#include "builder/git/repository.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>

#include <cerrno>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "adapters/store/files.hpp"
#include "adapters/store/source_root.hpp"
#include "builder/git/reference.hpp"
#include "builder/staging.hpp"
#include "specs/text.hpp"
#include "specs/text_checks.hpp"

namespace left4me::builder {

namespace {

constexpr std::size_t max_reference_bytes = 4096;
constexpr std::size_t max_packed_references = 16U << 20U;
constexpr int max_symbolic = 5;  ///< as git
/// Descriptors, two a pack; a repository that is looked after has a few.
constexpr std::size_t max_packs = 200;
/// `git gc --auto` leaves 6700.
constexpr std::size_t max_loose = 50'000;
constexpr const char* loose_name = "loose";

class Repository {
  public:
    Repository(const GitSource& source, int build_directory)
        : source_(source), build_directory_(build_directory) {}

    Built<SourceObjects> run() {
        if (auto opened = open(); !opened) return std::unexpected(opened.error());
        const auto commit = find_commit();
        if (!commit) return std::unexpected(commit.error());
        SourceObjects objects;
        objects.commit = *commit;
        if (auto added = add_packs(objects); !added) return std::unexpected(added.error());
        if (auto added = add_loose(objects); !added) return std::unexpected(added.error());
        return objects;
    }

  private:
    std::unexpected<BuildError> error(const std::string& what) const {
        return source_failure(fmt::format("{}: {}", source_.url, what));
    }
    std::unexpected<BuildError> unreadable(const std::string& path) const {
        return source_failure(store::io_error(source_.url + "/" + path).error());
    }

    bool has(const std::string& path) const {
        return static_cast<bool>(store::open_beneath(directory_.get(), path, O_PATH | O_NOFOLLOW));
    }

    /// Of a directory in the repository, and on its mount.
    Built<Fd> enter(const std::string& path) const {
        Fd inside = store::open_directory(directory_.get(), path);
        if (!inside) return unreadable(path);
        if (store::mount_of(inside.get(), path) != mount_)
            return error(in_quotes(path) + " is a mount point");
        return inside;
    }

    Built<OpenFile> open_file(int directory, const std::string& name) const {
        OpenFile file{store::open_beneath(directory, name, O_RDONLY | O_NONBLOCK | O_NOCTTY), 0};
        struct stat status{};
        if (!file.file || ::fstat(file.file.get(), &status) != 0) return unreadable(name);
        if (!S_ISREG(status.st_mode) || store::mount_of(file.file.get(), name) != mount_)
            return error(in_quotes(name) + " is not a file of the repository");
        file.bytes = static_cast<std::uint64_t>(status.st_size);
        return file;
    }

    Built<void> open() {
        auto directory = store::open_source({source_.url, source_.root, {}});
        if (!directory) return source_failure(directory.error());
        directory_ = std::move(*directory);
        const auto mount = store::mount_of(directory_.get(), source_.url);
        if (!mount) return source_failure(mount.error());
        mount_ = *mount;
        if (!has("HEAD")) {
            auto inner = enter(".git");
            if (!inner) return error("is not a git repository: it has neither HEAD nor the directory .git");
            directory_ = std::move(*inner);
        }
        if (has("commondir"))
            return error("is a linked working tree; name the repository that it belongs to");
        if (has("reftable"))
            return error(
                "keeps its references in a reftable, which left4me does not support; clone it with "
                "--ref-format=files");
        if (has("objects/info/alternates"))
            return error(
                "borrows objects from another repository; run `git repack -a -d` in it, and remove "
                "objects/info/alternates");
        return {};
    }

    Built<ObjectId> find_commit() {
        if (const auto id = parse_object_id(wanted_ref(source_))) return *id;
        if (source_.pin) return error("left4me.lock pins what is no commit");
        References known;
        for (const std::string& name : candidates(source_.ref)) {
            const auto id = look_up(name, 0);
            if (!id) return std::unexpected(id.error());
            if (*id) known[name] = **id;
        }
        auto chosen = choose(known, source_.ref);
        if (!chosen) return error_in(source_.url, chosen.error());
        return chosen;
    }

    /// nullopt: there is no such reference.
    Built<std::optional<ObjectId>> look_up(const std::string& name, int depth) {
        Violations violations;
        check_git_ref(name, violations);
        if (depth > max_symbolic || !violations.empty())
            return error("a reference of it leads to one that cannot be");
        const auto text = store::read_file(directory_.get(), name, max_reference_bytes);
        if (!text && errno != ENOENT && errno != ENOTDIR && errno != EISDIR && errno != EINVAL)
            return unreadable(name);
        if (!text) return look_up_packed(name);
        std::string_view line = *text;
        line = line.substr(0, line.find('\n'));
        constexpr std::string_view symbolic = "ref: ";
        if (line.starts_with(symbolic)) return look_up(std::string(line.substr(symbolic.size())), depth + 1);
        const auto id = parse_object_id(line);
        // What is in the file is not shown: it may be any file.
        if (!id) return error(in_quotes(name) + " does not name an object by 40 hexadecimal digits");
        return id;
    }

    Built<std::optional<ObjectId>> look_up_packed(const std::string& name) const {
        const auto text = store::read_file(directory_.get(), "packed-refs", max_packed_references);
        if (!text && errno == ENOENT) return std::nullopt;
        if (!text) return unreadable("packed-refs");
        std::string_view rest = *text;
        constexpr std::size_t digits = 2 * ObjectId::size;
        while (!rest.empty()) {
            const std::size_t end = std::min(rest.find('\n'), rest.size());
            const std::string_view line = rest.substr(0, end);
            rest.remove_prefix(std::min(end + 1, rest.size()));
            if (line.size() <= digits || line[digits] != ' ' || line.substr(digits + 1) != name) continue;
            const auto id = parse_object_id(line.substr(0, digits));
            if (!id) return error("packed-refs is damaged");
            return id;
        }
        return std::nullopt;
    }

    Built<void> add_packs(SourceObjects& objects) const {
        if (!has("objects/pack")) return {};
        const auto directory = enter("objects/pack");
        if (!directory) return std::unexpected(directory.error());
        for (const std::string& name : store::list(directory->get())) {
            constexpr std::string_view ending = ".idx";
            if (!name.ends_with(ending)) continue;
            if (objects.packs.size() == max_packs)
                return error(fmt::format("has more than {} packs; run `git gc` in it", max_packs));
            auto index = open_file(directory->get(), name);
            auto pack = open_file(directory->get(), name.substr(0, name.size() - ending.size()) + ".pack");
            if (!index) return std::unexpected(index.error());
            if (!pack) return std::unexpected(pack.error());
            objects.packs.push_back({std::move(*pack), std::move(*index)});
        }
        return {};
    }

    Built<void> add_loose(SourceObjects& objects) const {
        const auto copies = store::make_directory(build_directory_, Staging::download_name, 0750);
        if (!copies) return own_failure(errno, copies.error());
        Fd into(
            ::openat(copies->get(), loose_name, O_RDWR | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0640));
        if (!into) return own_failure(errno, store::io_error(loose_name).error());
        std::uint64_t at = 0;
        for (unsigned first = 0; first < 256; ++first) {
            const std::string prefix = fmt::format("{:02x}", first);
            if (!has("objects/" + prefix)) continue;
            const auto directory = enter("objects/" + prefix);
            if (!directory) return std::unexpected(directory.error());
            for (const std::string& name : store::list(directory->get())) {
                const auto id = parse_object_id(prefix + name);
                if (!id) continue;
                if (objects.loose_objects.size() == max_loose) {
                    return error(fmt::format(
                        "has more than {} objects that are not in packs; run `git gc` in it", max_loose));
                }
                const auto file = open_file(directory->get(), name);
                if (!file) return std::unexpected(file.error());
                const auto bytes = copy(*file, into.get(), at);
                if (!bytes) return std::unexpected(bytes.error());
                objects.loose_objects[*id] = {at, *bytes};
                at += *bytes;
            }
        }
        objects.loose = {Fd(::openat(copies->get(), loose_name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC)), at};
        if (!objects.loose.file) return own_failure(errno, store::io_error(loose_name).error());
        return {};
    }

    /// As much as there was when it was opened; returns how many bytes that were.
    Built<std::uint64_t> copy(const OpenFile& from, int into, std::uint64_t at) const {
        if (from.bytes > source_.limits.bytes - std::min(at, source_.limits.bytes))
            return error(
                "has larger objects than limits.overlayBytes in /etc/left4me/config.yaml allows; run `git "
                "gc` "
                "in it, or raise the limit");
        std::string buffer(1U << 16U, '\0');
        std::uint64_t done = 0;
        while (done < from.bytes) {
            const auto read = store::read_at(from.file.get(), buffer, done, source_.url);
            if (!read) return source_failure(read.error());
            const std::string_view part = read->substr(0, from.bytes - done);
            if (part.empty()) break;
            if (const auto wrote = store::write_at(into, part, at + done, loose_name); !wrote)
                return own_failure(errno, wrote.error());
            done += part.size();
        }
        return done;
    }

    const GitSource& source_;
    int build_directory_;
    Fd directory_;  ///< with HEAD in it
    std::uint64_t mount_ = 0;
};

}  // namespace

Built<SourceObjects> open_repository(const GitSource& source, int build_directory) {
    return Repository(source, build_directory).run();
}

}  // namespace left4me::builder
