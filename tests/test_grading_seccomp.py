"""The filter of system calls, run by a small interpreter of the kernel's filter language."""

import struct

import pytest

from course_lib.grading import seccomp
from course_lib.grading.seccomp import ALLOW, ERROR, KILL, filter_program

REFUSED, ABSENT = ERROR | 1, ERROR | 38
READ = {"x86_64": 0, "aarch64": 63}


def verdict(program, audit, number, *arguments):
    """What the kernel would answer: classic BPF, as far as the filter uses it."""
    data = struct.pack("=IIQ6Q", number, audit, 0, *arguments, *[0] * (6 - len(arguments)))
    lines = list(struct.iter_unpack("=HBBI", program))
    value, at = 0, 0
    while True:
        code, if_true, if_false, k = lines[at]
        at += 1
        if code == seccomp.RETURN:
            return k
        if code == seccomp.LOAD:
            (value,) = struct.unpack_from("=I", data, k)
        elif code == seccomp.AND:
            value &= k
        else:
            hit = {
                seccomp.EQUAL: value == k,
                seccomp.AT_LEAST: value >= k,
                seccomp.ANY_BIT: bool(value & k),
            }[code]
            at += if_true if hit else if_false


@pytest.fixture(params=seccomp.MACHINES)
def machine(request):
    return request.param


@pytest.fixture(params=[True, False])
def ask(request, machine):
    k, audit = seccomp.MACHINES[machine]
    program = filter_program(machine, namespaces=request.param)

    def ask(numbers, *arguments):
        number = numbers if isinstance(numbers, int) else numbers[k]
        return verdict(program, audit, number, *arguments)

    ask.namespaces, ask.k, ask.program, ask.audit = request.param, k, program, audit
    return ask


class TestFilter:
    def test_refuses_what_is_listed(self, ask):
        listed = [n[ask.k] for n in seccomp.DENIED.values() if n[ask.k] is not None]
        assert {ask(number) for number in listed} == {REFUSED}

    def test_refuses_more_where_there_are_no_name_spaces(self, ask):
        listed = seccomp.DENIED_WITHOUT_NAMESPACES.values()
        answers = {ask(numbers) for numbers in listed if numbers[ask.k] is not None}
        assert answers == {ALLOW if ask.namespaces else REFUSED}

    def test_pretends_to_change_files_where_there_are_no_name_spaces(self, ask):
        listed = seccomp.PRETENDED_WITHOUT_NAMESPACES.values()
        answers = {ask(numbers) for numbers in listed if numbers[ask.k] is not None}
        assert answers == {ALLOW if ask.namespaces else ERROR | 0}

    def test_allows_everything_else(self, ask):
        listed = [*seccomp.DENIED.values(), *seccomp.DENIED_WITHOUT_NAMESPACES.values()]
        listed += seccomp.PRETENDED_WITHOUT_NAMESPACES.values()
        listed += [seccomp.CLONE3, seccomp.SOCKET, seccomp.SOCKETPAIR, seccomp.MMAP]
        rest = set(range(480)) - {numbers[ask.k] for numbers in listed}
        assert {number for number in rest if ask(number) != ALLOW} == set()

    def test_threads_and_forks_but_no_name_spaces(self, ask):
        assert ask(seccomp.CLONE, 0x3D0F00) == ALLOW  # what the C library's threads ask for
        assert ask(seccomp.CLONE, 17) == ALLOW
        for bit in (17, 25, 26, 27, 28, 29, 30):
            assert ask(seccomp.CLONE, 1 << bit | 17) == REFUSED
        assert ask(seccomp.CLONE3, 0) == ABSENT

    def test_shared_memory_only_of_files(self, ask):
        shared, private, validate, anonymous, stack = 1, 2, 3, 0x20, 0x20000
        for flags in (shared, private, validate, private | anonymous, private | anonymous | stack):
            assert ask(seccomp.MMAP, 0, 4096, 3, flags) == ALLOW
        for flags in (shared | anonymous, validate | anonymous, shared | anonymous | stack):
            assert ask(seccomp.MMAP, 0, 4096, 3, flags) == REFUSED

    def test_limits_only_of_oneself(self, ask):
        for numbers in seccomp.LIMITS_OF_OTHERS:
            assert ask(numbers, 0) == ALLOW
            assert ask(numbers, 4242) == (ALLOW if ask.namespaces else REFUSED)

    def test_sockets_only_of_families_with_name_spaces(self, ask):
        allowed = {family for family in range(50) if ask(seccomp.SOCKET, family, 1) == ALLOW}
        assert allowed == ({1, 2, 10, 16} if ask.namespaces else set())

    def test_pairs_of_streams_but_not_of_datagrams(self, ask):
        stream, datagram, close_on_exec = 1, 2, 0o2000000
        assert ask(seccomp.SOCKETPAIR, 1, stream | close_on_exec) == ALLOW
        expected = ALLOW if ask.namespaces else REFUSED
        assert ask(seccomp.SOCKETPAIR, 1, datagram | close_on_exec) == expected

    def test_other_tables_of_calls_end_the_process(self, machine, ask):
        read = READ[machine]
        assert verdict(ask.program, ask.audit, read) == ALLOW
        assert verdict(ask.program, 0x40000003, read) == KILL  # 32-bit x86
        if machine == "x86_64":
            assert verdict(ask.program, ask.audit, 0x40000000 | read) == REFUSED  # x32

    def test_unknown_machine_is_an_error_with_the_known_ones(self):
        with pytest.raises(ValueError, match="one of x86_64, aarch64, got 'mips'"):
            filter_program("mips")
