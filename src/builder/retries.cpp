#include "builder/retries.hpp"

#include <fmt/format.h>

#include <thread>

#include "builder/say.hpp"
#include "specs/text.hpp"

namespace left4me::builder {

std::expected<std::chrono::milliseconds, std::string> Retries::next(const std::string& url,
                                                                    const TransferResult& interrupted) {
    if (++failed_ >= settings_.tries) return std::unexpected(interrupted.message);
    std::chrono::milliseconds pause = pause_;
    if (interrupted.retry_after) {
        if (*interrupted.retry_after > settings_.longest_wait)
            return std::unexpected(fmt::format("{}, and asks to wait for {} s", interrupted.message,
                                               interrupted.retry_after->count()));
        pause = *interrupted.retry_after;
    }
    say(fmt::format("{}: {}; again in {:.1f} s", printable_line(url), interrupted.message,
                    std::chrono::duration<double>(pause).count()));
    pause_ *= 2;
    return pause;
}

std::optional<std::string> Retries::wait(const std::string& url, const TransferResult& interrupted) {
    const auto pause = next(url, interrupted);
    if (!pause) return pause.error();
    std::this_thread::sleep_for(*pause);
    return std::nullopt;
}

}  // namespace left4me::builder
