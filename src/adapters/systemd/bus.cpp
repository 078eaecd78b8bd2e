#include "adapters/systemd/bus.hpp"

#include <utility>

namespace left4me {
namespace {

BusError from(const sdbus::Error& error) {
    // NOLINTNEXTLINE(performance-unnecessary-copy-initialization): another type in sdbus-c++ 2
    const std::string name = error.getName();
    for (const char* gone : {"System.Error.ENOTCONN", "System.Error.ECONNRESET", "System.Error.EPIPE"})
        if (name == gone) return {disconnected_error, error.getMessage()};
    return {name, error.getMessage()};
}

constexpr std::size_t window = 100;

}  // namespace

std::expected<std::unique_ptr<Bus>, BusError> Bus::open() {
    try {
        return std::unique_ptr<Bus>(new Bus(sdbus::createSystemBusConnection()));
    } catch (const sdbus::Error& error) {
        return std::unexpected(from(error));
    }
}

void Bus::call(const Method& method, const Write& write, OnReply on_reply, std::chrono::seconds timeout) {
    const auto usec = static_cast<std::uint64_t>(std::chrono::microseconds(timeout).count());
    const auto kept = std::make_shared<OnReply>(std::move(on_reply));
    const auto fail = [kept](const sdbus::Error& error) {
        const BusError words = from(error);
        sdbus::MethodReply none;
        (*kept)(none, &words);
    };
    // Exceptions of the reply's reader (a value of another type than announced) must not pass through
    // libsystemd.
    const auto answered = [this, kept, fail](sdbus::MethodReply& reply, const sdbus::Error* error) {
        --unanswered_;
        send_more();
        if (error != nullptr) return fail(*error);
        try {
            (*kept)(reply, nullptr);
        } catch (const sdbus::Error& unexpected) {
            fail(unexpected);
        }
    };
    try {
        calling_.push_back(sdbus_compat::make_proxy(*connection_, method.service, method.path));
        sdbus::IProxy& proxy = *calling_.back();
        sdbus::MethodCall message = sdbus_compat::method_call(proxy, method.interface, method.name);
        write(message);
        waiting_to_be_sent_.emplace_back([this, &proxy, message, answered, usec, fail] {
            try {
                sdbus_compat::call(proxy, message, answered, usec);
                ++unanswered_;
            } catch (const sdbus::Error& error) {
                fail(error);
            }
        });
    } catch (const sdbus::Error& error) {
        return fail(error);
    }
    send_more();
}

void Bus::send_more() {
    while (unanswered_ < window && !waiting_to_be_sent_.empty()) {
        const std::function<void()> send = std::move(waiting_to_be_sent_.front());
        waiting_to_be_sent_.pop_front();
        send();
    }
}

std::expected<void, BusError> Bus::watch(const Method& signal,
                                         std::function<void(sdbus::Signal&)> on_signal) {
    try {
        watching_.push_back(sdbus_compat::make_proxy(*connection_, signal.service, signal.path));
        sdbus_compat::watch(*watching_.back(), signal.interface, signal.name,
                            [kept = std::move(on_signal)](sdbus::Signal& received) {
                                try {
                                    kept(received);
                                } catch (const sdbus::Error&) {  // not the documented type: ignored
                                }
                            });
        count_round_trip();
        return {};
    } catch (const sdbus::Error& error) {
        return std::unexpected(from(error));
    }
}

std::expected<void, BusError> Bus::match(const std::string& rule,
                                         std::function<void(const std::string&)> on_match) {
    try {
        sdbus_compat::match(*connection_, rule, [kept = std::move(on_match)](sdbus::Message& message) {
            kept(sdbus_compat::path_of(message));
        });
        count_round_trip();
        return {};
    } catch (const sdbus::Error& error) {
        return std::unexpected(from(error));
    }
}

std::expected<void, BusError> Bus::process() {
    try {
        while (sdbus_compat::process(*connection_)) continue;
        forget_answered();
        return {};
    } catch (const sdbus::Error& error) {
        return std::unexpected(BusError{disconnected_error, error.getMessage()});
    }
}

Readiness Bus::readiness() const {
    const auto wanted = connection_->getEventLoopPollData();
    const int timeout = wanted.getPollTimeout();
    return {.fd = wanted.fd,
            .events = wanted.events,
            .timeout = timeout < 0 ? std::nullopt : std::optional(std::chrono::milliseconds(timeout))};
}

/// A proxy must not be destroyed while one of its replies is being handled.
void Bus::forget_answered() {
    if (unanswered_ == 0 && waiting_to_be_sent_.empty()) calling_.clear();
}

bool Bus::wait_for_input(std::chrono::milliseconds timeout) const {
    Readiness awaited = readiness();
    const bool has_something_due = awaited.timeout && *awaited.timeout <= timeout;
    if (!has_something_due) awaited.timeout = timeout;
    return wait_for_any({awaited}) || has_something_due;
}

std::expected<bool, BusError> Bus::wait_until(const std::function<bool()>& done,
                                              std::chrono::milliseconds timeout) {
    try {
        while (!done()) {
            if (sdbus_compat::process(*connection_)) continue;
            if (!wait_for_input(timeout)) return false;
        }
        forget_answered();
        return true;
    } catch (const sdbus::Error& error) {
        return std::unexpected(BusError{disconnected_error, error.getMessage()});
    }
}

std::expected<void, BusError> Bus::round_trip(const std::function<bool()>& answered) {
    count_round_trip();
    if (const auto done = wait_until(answered); !done) return std::unexpected(done.error());
    return {};
}

}  // namespace left4me
