#include "l4d2d/chronicle.hpp"

#include <boost/asio/post.hpp>
#include <utility>

#include "l4d2d/notify.hpp"

namespace left4me {
namespace {

void tell(const std::expected<void, std::string>& recorded) {
    if (!recorded) log(Level::Warning, "what happened could not be written down: " + recorded.error());
}

}  // namespace

void Chronicle::pass(PassEnd end) {
    boost::asio::post(thread_, [paths = paths_, end = std::move(end)]() mutable {
        tell(record_pass(paths, std::move(end)));
    });
}

void Chronicle::events(std::vector<Event> events) {
    boost::asio::post(thread_, [paths = paths_, events = std::move(events)]() mutable {
        tell(record(paths, std::move(events)));
    });
}

}  // namespace left4me
