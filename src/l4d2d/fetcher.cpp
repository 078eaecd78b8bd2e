#include "l4d2d/fetcher.hpp"

#include <sys/eventfd.h>

#include <cerrno>
#include <exception>
#include <system_error>
#include <utility>

namespace left4me {

Fetcher::Fetcher() : ended_(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {
    if (!ended_) throw std::system_error(errno, std::generic_category(), "eventfd");
}

Fetcher::~Fetcher() {
    if (thread_.joinable()) thread_.join();
}

void Fetcher::begin(std::unique_ptr<Source> source) {
    if (busy_) return;
    busy_ = true;
    thread_ = std::thread([this, owned = std::move(source)] {
        result_ = owned->fetch();
        (void)eventfd_write(ended_.get(), 1);
    });
}

std::optional<Fetcher::Result> Fetcher::collect() {
    eventfd_t count = 0;
    if (eventfd_read(ended_.get(), &count) != 0) return std::nullopt;
    thread_.join();
    busy_ = false;
    return std::exchange(result_, Result());
}

}  // namespace left4me
