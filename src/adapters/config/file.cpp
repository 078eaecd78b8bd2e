#include "adapters/config/file.hpp"

#include <fcntl.h>
#include <sys/stat.h>

#include <cerrno>
#include <utility>

#include "adapters/fd.hpp"
#include "adapters/files.hpp"

namespace left4me {
namespace {

constexpr std::size_t max_bytes = std::size_t{1} << 20U;

}  // namespace

ConfigText read_config_text(const std::string& path, ConfigOwner owner) {
    // O_NONBLOCK: opening a FIFO must not wait for a writer.
    const Fd file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK));
    if (!file && errno == ENOENT && path == config_file) return std::nullopt;
    struct stat status{};
    if (!file || ::fstat(file.get(), &status) != 0) return std::unexpected(errno_message(path, errno));
    if (!S_ISREG(status.st_mode)) return std::unexpected(path + ": not a plain file");
    if (owner == ConfigOwner::Root && (status.st_uid != 0 || (status.st_mode & 0022U) != 0))
        return std::unexpected(path + ": must belong to root, and nobody else may write it");
    auto text = read_descriptor(file.get(), path, max_bytes);
    if (!text) return std::unexpected(std::move(text.error()));
    return std::move(*text);
}

std::expected<Config, std::string> parse_config_text(const std::string& path,
                                                     const std::optional<std::string>& text) {
    if (!text) return Config{};
    auto config = parse_config(path, *text);
    if (!config) return std::unexpected(to_string(config.error()));
    return std::move(*config);
}

std::expected<Config, std::string> read_config(const std::string& path) {
    const auto text = read_config_text(path);
    if (!text) return std::unexpected(text.error());
    return parse_config_text(path, *text);
}

}  // namespace left4me
