#include "adapters/git/reference.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <string_view>

#include "adapters/fd.hpp"
#include "adapters/files.hpp"
#include "adapters/git/library.hpp"

namespace left4me::git {

namespace fs = std::filesystem;

namespace {

constexpr std::size_t max_reference_bytes = 1024;
constexpr std::size_t max_packed_bytes = std::size_t{16} << 20U;

std::unexpected<std::string> failure(const fs::path& path, int error) {
    return std::unexpected(errno_message(path, error));
}

std::unexpected<std::string> not_a_reference(const fs::path& path, const std::string& what) {
    return std::unexpected(fmt::format(
        "{}: {}; sudo l4d2ctl init-repo moves other files out of the way, and a push restores the branch",
        path.string(), what));
}

/// The directory of a reference, opened without following links.
std::expected<Fd, std::string> open_directory(const fs::path& repository, const fs::path& name) {
    Fd directory(::open(repository.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    fs::path reached = repository;
    for (const fs::path& part : name.parent_path()) {
        if (!directory) break;
        reached /= part;
        directory =
            Fd(::openat(directory.get(), part.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
    }
    if (!directory) return failure(reached, errno);
    return directory;
}

std::expected<void, std::string> check_name(const std::string& name) {
    int valid = 0;
    if (git_reference_name_is_valid(&valid, name.c_str()) == 0 && valid == 1) return {};
    return std::unexpected("not a valid branch name");
}

std::optional<git_oid> parse_id(std::string_view text) {
    git_oid id{};
    if (text.size() != GIT_OID_HEXSZ || git_oid_fromstrn(&id, text.data(), text.size()) != 0)
        return std::nullopt;
    return id;
}

/// packed-refs is in the top directory, where only root writes.
std::expected<std::optional<git_oid>, std::string> read_packed(const fs::path& repository,
                                                               const std::string& name) {
    const fs::path path = repository / "packed-refs";
    std::error_code ignored;
    if (!fs::exists(fs::symlink_status(path, ignored))) return std::nullopt;
    const auto text = read_file(path, max_packed_bytes);
    if (!text) return std::unexpected(text.error());
    std::string_view rest = *text;
    while (!rest.empty()) {
        const std::string_view line = rest.substr(0, rest.find('\n'));
        rest.remove_prefix(std::min(line.size() + 1, rest.size()));
        if (line.size() == GIT_OID_HEXSZ + 1 + name.size() && line.ends_with(" " + name))
            return parse_id(line.substr(0, GIT_OID_HEXSZ));
    }
    return std::nullopt;
}

std::expected<std::optional<git_oid>, std::string> read_at(int directory, const fs::path& repository,
                                                           const std::string& name) {
    const fs::path path = repository / name;
    const Fd file(::openat(directory, path.filename().c_str(),
                           O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC));
    if (!file && errno == ENOENT) return read_packed(repository, name);
    if (!file && errno == ELOOP) return not_a_reference(path, "is a symbolic link");
    if (!file && errno == ENXIO) return not_a_reference(path, "is a socket");
    if (!file) return failure(path, errno);
    struct stat status{};
    if (::fstat(file.get(), &status) != 0) return failure(path, errno);
    if (!S_ISREG(status.st_mode)) return not_a_reference(path, "is no regular file");
    if (status.st_size > static_cast<off_t>(max_reference_bytes))
        return not_a_reference(path, fmt::format("has {} bytes", status.st_size));
    const auto text = read_descriptor(file.get(), path.string(), max_reference_bytes);
    if (!text) return std::unexpected(text.error());
    if (text->starts_with("ref:"))
        return not_a_reference(path, "is a symbolic reference, which left4me does not follow");
    const auto id = parse_id(std::string_view(*text).substr(0, text->find_last_not_of(" \t\r\n") + 1));
    if (!id) return not_a_reference(path, "does not name a commit");
    return id;
}

/// `NAME.lock`, as taken by git. Removed with this object, unless it was renamed to the reference.
class Lock {
  public:
    Lock(int directory, std::string name) : directory_(directory), name_(std::move(name)) {
        file_ = Fd(::openat(directory_, (name_ + ".lock").c_str(),
                            O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0644));
    }
    Lock(const Lock&) = delete;
    Lock& operator=(const Lock&) = delete;
    ~Lock() {
        if (file_) (void)::unlinkat(directory_, (name_ + ".lock").c_str(), 0);
    }

    bool taken() const { return bool(file_); }

    bool become(const git_oid& id) {
        const std::string text = to_text(id) + "\n";
        const bool done =
            ::write(file_.get(), text.data(), text.size()) == static_cast<ssize_t>(text.size()) &&
            ::fchmod(file_.get(), 0644) == 0 && ::fsync(file_.get()) == 0 &&
            ::renameat(directory_, (name_ + ".lock").c_str(), directory_, name_.c_str()) == 0 &&
            ::fsync(directory_) == 0;
        if (done) file_.reset();
        return done;
    }

  private:
    int directory_;
    std::string name_;
    Fd file_;
};

}  // namespace

std::expected<std::optional<git_oid>, std::string> read_reference(const fs::path& repository,
                                                                  const std::string& name) {
    use_library();
    if (auto checked = check_name(name); !checked) return std::unexpected(checked.error());
    const auto directory = open_directory(repository, name);
    if (!directory) {
        // A repository that was packed may no longer have the directory.
        std::error_code ignored;
        const bool gone = fs::is_directory(repository, ignored) &&
                          !fs::exists(fs::symlink_status((repository / name).parent_path(), ignored));
        return gone ? read_packed(repository, name) : std::unexpected(directory.error());
    }
    return read_at(directory->get(), repository, name);
}

std::expected<bool, std::string> move_reference(const fs::path& repository, const std::string& name,
                                                const git_oid& to, const git_oid* from) {
    if (auto checked = check_name(name); !checked) return std::unexpected(checked.error());
    const auto directory = open_directory(repository, name);
    if (!directory) return std::unexpected(directory.error());
    Lock lock(directory->get(), fs::path(name).filename().string());
    if (!lock.taken()) {
        if (errno == EEXIST) return false;
        return failure(repository / (name + ".lock"), errno);
    }
    const auto now = read_at(directory->get(), repository, name);
    if (!now) return std::unexpected(now.error());
    const bool same = from == nullptr ? !*now : *now && git_oid_equal(&**now, from) == 1;
    if (!same) return false;
    if (!lock.become(to)) return failure(repository / name, errno);
    return true;
}

}  // namespace left4me::git
