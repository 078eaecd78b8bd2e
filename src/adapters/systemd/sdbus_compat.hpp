#pragma once

#include <sdbus-c++/sdbus-c++.h>

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <utility>

// Debian 12 has sdbus-c++ 1.2, Debian 13 has 2.1: this is the only file that knows. 2.x has strong types for
// names and 1.x does not, which distinguishes them.
#if __has_include(<sdbus-c++/VTableItems.h>)
#define LEFT4ME_SDBUS_2 1
#else
#define LEFT4ME_SDBUS_2 0
#endif

namespace left4me::sdbus_compat {

/// `error` is null if the call succeeded.
using OnReply = std::function<void(sdbus::MethodReply& reply, const sdbus::Error* error)>;
using OnSignal = std::function<void(sdbus::Signal& signal)>;

#if LEFT4ME_SDBUS_2

inline std::unique_ptr<sdbus::IProxy> make_proxy(sdbus::IConnection& bus, const char* service,
                                                 const std::string& path) {
    return sdbus::createProxy(bus, sdbus::ServiceName(service), sdbus::ObjectPath(path));
}

inline sdbus::MethodCall method_call(sdbus::IProxy& proxy, const char* interface, const char* name) {
    return proxy.createMethodCall(sdbus::InterfaceName(interface), sdbus::MethodName(name));
}

inline void call(sdbus::IProxy& proxy, const sdbus::MethodCall& message, OnReply on_reply,
                 std::uint64_t timeout_usec) {
    proxy.callMethodAsync(
        message,
        [on_reply = std::move(on_reply)](sdbus::MethodReply reply, std::optional<sdbus::Error> error) {
            on_reply(reply, error ? &*error : nullptr);
        },
        timeout_usec);
}

inline void watch(sdbus::IProxy& proxy, const char* interface, const char* name, OnSignal on_signal) {
    proxy.registerSignalHandler(
        sdbus::InterfaceName(interface), sdbus::SignalName(name),
        [on_signal = std::move(on_signal)](sdbus::Signal signal) { on_signal(signal); });
}

/// Every message that matches the rule, for the lifetime of the connection.
inline void match(sdbus::IConnection& bus, const std::string& rule,
                  std::function<void(sdbus::Message&)> on_message) {
    bus.addMatch(rule, [on_message = std::move(on_message)](sdbus::Message message) { on_message(message); });
}

inline std::string path_of(const sdbus::Message& message) { return message.getPath(); }

inline bool process(sdbus::IConnection& bus) { return bus.processPendingEvent(); }

#else

inline std::unique_ptr<sdbus::IProxy> make_proxy(sdbus::IConnection& bus, const char* service,
                                                 const std::string& path) {
    return sdbus::createProxy(bus, service, path);
}

inline sdbus::MethodCall method_call(sdbus::IProxy& proxy, const char* interface, const char* name) {
    return proxy.createMethodCall(interface, name);
}

inline void call(sdbus::IProxy& proxy, const sdbus::MethodCall& message, OnReply on_reply,
                 std::uint64_t timeout_usec) {
    proxy.callMethod(
        message,
        [on_reply = std::move(on_reply)](sdbus::MethodReply& reply, const sdbus::Error* error) {
            on_reply(reply, error);
        },
        timeout_usec);
}

inline void watch(sdbus::IProxy& proxy, const char* interface, const char* name, OnSignal on_signal) {
    proxy.registerSignalHandler(interface, name, std::move(on_signal));
    proxy.finishRegistration();
}

inline void match(sdbus::IConnection& bus, const std::string& rule,
                  std::function<void(sdbus::Message&)> on_message) {
    bus.addMatch(rule, std::move(on_message), sdbus::floating_slot);
}

inline std::string path_of(const sdbus::Message& message) { return message.getPath(); }

inline bool process(sdbus::IConnection& bus) { return bus.processPendingRequest(); }

#endif

}  // namespace left4me::sdbus_compat
