#include "proxy/request.hpp"

#include <algorithm>
#include <array>
#include <cctype>
#include <charconv>
#include <cstdint>
#include <system_error>

namespace left4me::proxy {

namespace {

constexpr std::string_view line_end = "\r\n";
constexpr std::size_t max_host = 253;  // RFC 1035, 2.3.4
constexpr std::string_view scheme = "http://";

std::string lower(std::string_view text) {
    std::string made(text);
    std::transform(made.begin(), made.end(), made.begin(),
                   [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
    return made;
}

bool is_host_character(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' ||
           c == '-' || c == '_' || c == ':';
}

std::unexpected<std::string> bad(const char* what) { return std::unexpected(std::string(what)); }

/// HOST, HOST:PORT, [IPv6] or [IPv6]:PORT.
std::expected<Request, std::string> parse_authority(std::string_view text, std::string_view default_port) {
    Request request;
    std::string_view port = default_port;
    std::string_view rest;
    if (text.starts_with('[')) {
        const std::size_t end = text.find(']');
        if (end == std::string_view::npos) return bad("an IPv6 address without its end");
        request.host = text.substr(1, end - 1);
        rest = text.substr(end + 1);
    } else {
        const std::size_t colon = text.find(':');
        request.host = text.substr(0, colon);
        if (colon != std::string_view::npos) rest = text.substr(colon);
    }
    if (rest.starts_with(':')) port = rest.substr(1);
    if (!rest.empty() && !rest.starts_with(':')) return bad("no port after the address");
    if (request.host.empty() || request.host.size() > max_host ||
        !std::all_of(request.host.begin(), request.host.end(), is_host_character))
        return bad("no name of a host");
    std::uint16_t number = 0;
    const auto [end, error] = std::from_chars(port.begin(), port.end(), number);
    if (error != std::errc() || end != port.end() || number == 0) return bad("no port");
    request.port = std::to_string(number);
    return request;
}

/// The headers that speak of a connection are between the client and the proxy; RFC 9110, 7.6.1. `Host` is
/// given by the URL.
bool is_between_neighbours(std::string_view header) {
    constexpr std::array names{"connection", "proxy-connection", "proxy-authorization", "keep-alive",
                               "host",       "upgrade"};
    const std::string name = lower(header.substr(0, header.find(':')));
    return std::find(names.begin(), names.end(), name) != names.end();
}

}  // namespace

std::size_t head_length(std::string_view text) {
    constexpr std::string_view end = "\r\n\r\n";
    const std::size_t at = text.find(end);
    return at == std::string_view::npos ? 0 : at + end.size();
}

std::expected<Request, std::string> parse_request(std::string_view head) {
    if (head.empty() || head.size() > max_head || head_length(head) != head.size() || head.contains('\0'))
        return bad("no HTTP request");
    const std::size_t first_end = head.find(line_end);
    const std::string_view line = head.substr(0, first_end);
    std::string_view headers = head.substr(first_end + line_end.size());
    const std::size_t after_method = line.find(' ');
    const std::size_t after_target = line.rfind(' ');
    if (after_method == std::string_view::npos || after_method == after_target) return bad("no HTTP request");
    const std::string_view method = line.substr(0, after_method);
    std::string_view target = line.substr(after_method + 1, after_target - after_method - 1);
    const std::string_view version = line.substr(after_target + 1);
    if (method.empty() || target.contains(' ') || (version != "HTTP/1.1" && version != "HTTP/1.0"))
        return bad("no HTTP request");
    if (method == "CONNECT") return parse_authority(target, "");
    if (lower(target.substr(0, scheme.size())) != scheme)
        return bad("neither CONNECT nor a URL that begins with http://");
    target.remove_prefix(scheme.size());
    const std::size_t path = std::min(target.find_first_of("/?#"), target.size());
    const std::string_view authority = target.substr(0, path);
    auto request = parse_authority(authority, "80");
    if (!request) return request;
    std::string& forward = request->forward;
    forward.append(method).append(" ");
    if (!target.substr(path).starts_with('/')) forward.append("/");
    forward.append(target.substr(path)).append(" ").append(version).append(line_end);
    forward.append("Host: ").append(authority).append(line_end);
    while (headers != line_end) {
        const std::size_t end = headers.find(line_end);
        const std::string_view header = headers.substr(0, end);
        if (!is_between_neighbours(header)) forward.append(header).append(line_end);
        headers.remove_prefix(end + line_end.size());
    }
    forward.append("Connection: close").append(line_end).append(line_end);
    return request;
}

}  // namespace left4me::proxy
