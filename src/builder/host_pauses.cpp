#include "builder/host_pauses.hpp"

#include <algorithm>

namespace left4me::builder {

namespace {

/// `example.org:8443` in `https://example.org:8443/a`.
std::string host_of(const std::string& url) {
    const std::size_t scheme = url.find("://");
    const std::size_t begin = scheme == std::string::npos ? 0 : scheme + 3;
    return url.substr(begin, url.find('/', begin) - begin);
}

}  // namespace

void HostPauses::pause(const std::string& url, Clock::duration time) {
    const std::lock_guard lock(mutex_);
    Clock::time_point& until = until_[host_of(url)];
    until = std::max(until, Clock::now() + time);
}

bool HostPauses::wait(const std::string& url, const std::stop_token& stop) {
    const std::string host = host_of(url);
    std::unique_lock lock(mutex_);
    // Another download may have been told to wait for longer meanwhile.
    while (!stop.stop_requested()) {
        const auto found = until_.find(host);
        if (found == until_.end() || found->second <= Clock::now()) return true;
        const Clock::time_point until = found->second;
        changed_.wait_until(lock, stop, until, [] { return false; });
    }
    return false;
}

}  // namespace left4me::builder
