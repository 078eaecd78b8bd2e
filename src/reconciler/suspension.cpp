#include "reconciler/suspension.hpp"

#include <fmt/format.h>

namespace left4me {
namespace {

bool lasts(const Suspension& suspension, TimePoint now) {
    return !suspension.until || now < *suspension.until;
}

}  // namespace

const Suspension* suspension_of_all(const Suspensions& suspensions, TimePoint now) {
    return suspensions.all && lasts(*suspensions.all, now) ? &*suspensions.all : nullptr;
}

const Suspension* suspension_of(const Suspensions& suspensions, const std::string& server, TimePoint now) {
    const auto own = suspensions.servers.find(server);
    if (own != suspensions.servers.end() && lasts(own->second, now)) return &own->second;
    return suspension_of_all(suspensions, now);
}

std::string suspension_text(const Suspension& suspension) {
    std::string text = "suspended";
    if (!suspension.by.empty()) text += " by " + suspension.by;
    if (suspension.until) text += " until " + date_text(*suspension.until);
    if (!suspension.reason.empty()) text += ": " + suspension.reason;
    return text;
}

}  // namespace left4me
