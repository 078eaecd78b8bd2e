#include "adapters/store/secrets.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/random.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "adapters/store/files.hpp"
#include "specs/placeholders.hpp"

namespace left4me::store {

namespace {

constexpr std::size_t key_bytes = 32;

std::expected<std::string, std::string> read_secret(const std::filesystem::path& directory,
                                                    const std::string& file) {
    const std::string shown = (directory / file).string();
    const Fd root(::open(directory.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
    if (!root) return io_error("the secret " + shown);
    auto text = read_file(root.get(), file, max_secret_bytes);
    if (!text) {
        switch (errno) {
            case ENOENT:
                return std::unexpected(
                    fmt::format("there is no secret {}; write the text into that file", shown));
            case EACCES:
                return std::unexpected(
                    fmt::format("the secret {} cannot be read; make user left4me its owner", shown));
            case EFBIG:
                return std::unexpected(
                    fmt::format("the secret {} is longer than {} bytes", shown, max_secret_bytes));
            case ELOOP:
            case EINVAL:
                return std::unexpected(fmt::format("the secret {} must be a plain file", shown));
            default:
                return io_error("the secret " + shown);
        }
    }
    if (text->ends_with('\n')) text->pop_back();
    if (const char* const wrong = unusable_secret(*text))
        return std::unexpected(fmt::format("the secret {} {}", shown, wrong));
    return *text;
}

std::expected<std::string, std::string> make_key(int directory, const std::string& shown) {
    std::string key(key_bytes, '\0');
    if (::getrandom(key.data(), key.size(), 0) != static_cast<ssize_t>(key.size()))
        return io_error("random numbers");
    // Two passes may get here at the same time: the first link wins, and both read it back.
    const std::string fresh = fmt::format(".key-{}", ::getpid());
    const Fd file(
        ::openat(directory, fresh.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0600));
    if (!file) return io_error(shown);
    auto done = write_all(file.get(), key, shown);
    if (done && ::fsync(file.get()) != 0) done = io_error(shown);
    if (done && ::linkat(directory, fresh.c_str(), directory, "key", 0) != 0 && errno != EEXIST)
        done = io_error(shown);
    ::unlinkat(directory, fresh.c_str(), 0);
    if (!done) return std::unexpected(done.error());
    return read_file(directory, "key", key_bytes).value_or("");
}

}  // namespace

const char* unusable_secret(std::string_view text) {
    if (text.empty()) return "is empty";
    if (text.size() > max_secret_bytes) return "is longer than 4096 bytes";
    // In a config, a newline would begin a new command, and a quotation mark cannot be escaped.
    const auto unfit = [](char c) { return static_cast<unsigned char>(c) < ' ' || c == '"'; };
    return std::any_of(text.begin(), text.end(), unfit) ? "must be one line without quotation marks"
                                                        : nullptr;
}

std::expected<std::string, std::string> Secrets::lookup(const std::string& file) {
    if (!is_valid_secret_file(file))
        return std::unexpected(fmt::format("'{}' is not the name of a secret", file));
    const auto known = known_.find(file);
    if (known != known_.end()) return known->second;
    return known_.emplace(file, read_secret(directory_, file)).first->second;
}

std::expected<std::string, std::string> Secrets::key() {
    if (!key_.empty()) return key_;
    const std::string shown = key_file_.string();
    const Fd directory(::open(key_file_.parent_path().c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (!directory) return io_error(key_file_.parent_path().string());
    auto key = read_file(directory.get(), "key", key_bytes);
    if (!key && errno != ENOENT) return io_error(shown);
    if (!key) {
        auto made = make_key(directory.get(), shown);
        if (!made) return made;
        key = std::move(*made);
    }
    if (key->size() != key_bytes) {
        return std::unexpected(
            fmt::format("{} is damaged; remove it (servers with secrets are rendered again)", shown));
    }
    return key_ = std::move(*key);
}

}  // namespace left4me::store
