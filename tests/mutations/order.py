"""Mutations of order: in feeds, lanes, sessions and the log of what was looked at."""

from tests.mutations.mutation import Mutation

_ITEMS = "programs/discord/incoming/feed_items.py"
_FEED = "programs/discord/incoming/feed.py"
_MERGED = "tests/programs/discord/incoming/test_merged.py"
_UNREADABLE = "tests/programs/discord/incoming/test_unreadable.py"
_TURNS = "tests/llmgine/sessions/test_turns.py"

MUTATIONS = (
    Mutation(
        "messages of a feed in the order of their ids",
        _ITEMS,
        "in_order = sorted(created, key=lambda one: (one[0], isinstance(one[1], Covered)))",
        "in_order = created",
        (f"{_MERGED}::test_messages_are_in_the_order_of_their_ids",),
    ),
    Mutation(
        "a cursor after the messages it covers",
        _ITEMS,
        "key=lambda one: (one[0], isinstance(one[1], Covered))",
        "key=lambda one: (one[0], not isinstance(one[1], Covered))",
        (f"{_MERGED}::test_a_cursor_is_after_all_it_covers",),
    ),
    Mutation(
        "a message that was read and told live being there once",
        _ITEMS,
        "            new.pop(item.message.id, None)\n",
        "",
        (f"{_MERGED}::test_what_is_read_and_told_live_is_there_once",),
    ),
    Mutation(
        "where to begin being stored before anything is read",
        _FEED,
        "            await cursors.move([(self.place, self.cursor or 0)])\n",
        "",
        (f"{_UNREADABLE}::test_where_a_new_place_begins_is_known_though_it_could_not_be_read",),
    ),
    Mutation(
        "what was missed being answered before what comes live",
        _FEED,
        "(not self._missed or from_read(first) or self.state is FeedState.UNREADABLE)",
        "True",
        (
            "tests/programs/discord/incoming/test_incoming.py::TestLateServers::test_live_messages_wait_for_what_was_missed_in_a_late_server",
        ),
    ),
    Mutation(
        "what could not be processed staying the first",
        _FEED,
        "                self._wait(error, self._failures)\n            return\n        except Exception:",
        "                self._wait(error, self._failures)\n        except Exception:",
        ("tests/programs/discord/test_new_places.py::test_a_store_that_fails_at_the_first_message",),
    ),
    Mutation(
        "cursors moving forward alone",
        "llmgine/sessions/operations/cursors.py",
        "        WHERE cursor_of_place.position <= excluded.position\n",
        "",
        ("tests/llmgine/sessions/test_cursors.py::test_a_cursor_only_moves_forward",),
    ),
    Mutation(
        "the events of a session in order",
        "llmgine/bus/lanes.py",
        "            queue.append(event)\n",
        "            queue.insert(1, event)\n",
        ("tests/llmgine/bus/test_events.py::test_each_handler_sees_a_session_in_order",),
    ),
    Mutation(
        "a lane for each session",
        "llmgine/bus/lanes.py",
        "lane = handler.lanes.get(session_id)\n            if",
        "lane = next(iter(handler.lanes.values()), None)\n            if",
        ("tests/llmgine/bus/test_events.py::test_sessions_do_not_wait_for_each_other",),
    ),
    Mutation(
        "the turns of a session in order",
        "llmgine/sessions/operations/turns.py",
        '"SELECT id, owner, state FROM open_turn WHERE session_id = $1 ORDER BY seq"',
        '"SELECT id, owner, state FROM open_turn WHERE session_id = $1 ORDER BY seq DESC"',
        (f"{_TURNS}::test_the_oldest_open_turn_is_claimed_while_it_is_ours",),
    ),
    Mutation(
        "one running turn a session",
        "llmgine/sessions/schema.py",
        "CREATE UNIQUE INDEX one_running",
        "CREATE INDEX one_running",
        (f"{_TURNS}::test_two_turns_of_a_session_never_run_at_once",),
    ),
    Mutation(
        "a turn waiting for one of another process",
        "llmgine/sessions/operations/turns.py",
        '        if head["owner"] != self._me:\n            return Blocked(owner=head["owner"])\n',
        "",
        (f"{_TURNS}::test_a_turn_waits_for_one_of_another_process",),
    ),
    Mutation(
        "calls of a sequential tool one after the other",
        "llmgine/engine/tool_calls.py",
        "return tool is not None and tool.sequential",
        "return False",
        ("tests/llmgine/engine/test_tool_calls.py::test_sequential_tools_never_overlap",),
    ),
)
