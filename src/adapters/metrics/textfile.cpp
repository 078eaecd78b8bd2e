#include "adapters/metrics/textfile.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>

#include "adapters/fd.hpp"

namespace left4me {

namespace {

std::unexpected<std::string> error_of(const std::filesystem::path& path) {
    const int number = errno;
    std::string message = path.string() + ": " + std::strerror(number);
    if (number == EROFS)
        message +=
            "; left4me's services may write to /var/lib/left4me/metrics; another directory needs "
            "ReadWritePaths= (systemctl edit left4me.service left4me-reconcile.service)";
    return std::unexpected(std::move(message));
}

}  // namespace

std::expected<void, std::string> write_textfile(const std::filesystem::path& path, const std::string& text) {
    // node_exporter reads only *.prom.
    const std::filesystem::path fresh = path.string() + ".new";
    {
        const Fd file(::open(fresh.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0644));
        if (!file) return error_of(fresh);
        std::size_t written = 0;
        while (written < text.size()) {
            const ssize_t got = ::write(file.get(), text.data() + written, text.size() - written);
            if (got < 0 && errno == EINTR) continue;
            if (got < 0) return error_of(fresh);
            written += static_cast<std::size_t>(got);
        }
        if (::fchmod(file.get(), 0644) != 0) return error_of(fresh);
    }
    if (::rename(fresh.c_str(), path.c_str()) != 0) return error_of(path);
    return {};
}

}  // namespace left4me
