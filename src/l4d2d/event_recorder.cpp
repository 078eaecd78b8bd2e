#include "l4d2d/event_recorder.hpp"

#include <boost/asio/post.hpp>
#include <utility>

#include "l4d2d/notify.hpp"

namespace left4me {
namespace {

void tell(const std::expected<void, std::string>& recorded) {
    if (!recorded) log(Level::Warning, "events could not be recorded: " + recorded.error());
}

}  // namespace

void EventRecorder::pass(PassEnd end) {
    boost::asio::post(thread_, [paths = paths_, end = std::move(end)]() mutable {
        tell(record_pass(paths, std::move(end)));
    });
}

void EventRecorder::events(std::vector<Event> events) {
    boost::asio::post(thread_, [paths = paths_, events = std::move(events)]() mutable {
        tell(record(paths, std::move(events)));
    });
}

}  // namespace left4me
