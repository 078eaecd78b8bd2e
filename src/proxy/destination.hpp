#pragma once

#include <sys/socket.h>

#include <chrono>
#include <functional>
#include <string>
#include <vector>

#include "adapters/fd.hpp"
#include "proxy/request.hpp"

namespace left4me::proxy {

/// Why an address must not be connected to; empty: it may.
using Judge = std::function<std::string(const sockaddr& address)>;

/// Only public addresses that no interface of this host has, as they are now.
std::string judge_public(const sockaddr& address);

struct Attempt {
    Fd socket;                         ///< none: it could not be connected to
    std::string address;               ///< of the socket
    std::vector<std::string> refused;  ///< an address of the host each, and what the judge says of it
    std::string failure;               ///< of the last address that may be connected to, or of the name
};

/// Looks the host up once, and connects to the first of its addresses that may be connected to and answers:
/// what DNS says before or after does not matter. `patience` is for each address.
Attempt connect_to(const Request& request, const Judge& judge, std::chrono::seconds patience);

}  // namespace left4me::proxy
