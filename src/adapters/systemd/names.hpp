#pragma once

/// PID 1's names on the bus, org.freedesktop.systemd1(5).
namespace left4me::systemd {

inline constexpr const char* service = "org.freedesktop.systemd1";
inline constexpr const char* path = "/org/freedesktop/systemd1";
inline constexpr const char* units = "/org/freedesktop/systemd1/unit";
inline constexpr const char* manager = "org.freedesktop.systemd1.Manager";

namespace interface {
inline constexpr const char* properties = "org.freedesktop.DBus.Properties";
inline constexpr const char* unit = "org.freedesktop.systemd1.Unit";
inline constexpr const char* service = "org.freedesktop.systemd1.Service";
inline constexpr const char* slice = "org.freedesktop.systemd1.Slice";
inline constexpr const char* scope = "org.freedesktop.systemd1.Scope";
inline constexpr const char* job = "org.freedesktop.systemd1.Job";
}  // namespace interface

}  // namespace left4me::systemd
