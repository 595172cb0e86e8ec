#!/usr/bin/perl
# Makes system calls by their numbers, which safe Rust cannot, and prints a line for each. An argument is a number; `socket`
# and `peer`, two connected sockets; `open:PATH`, a descriptor; `ints:N,N`, a pointer to integers of 32 bits. The word `then`
# begins the next call.
use strict;
use warnings;
use Socket;

socketpair(my $socket, my $peer, AF_UNIX, SOCK_STREAM, 0) or die "socketpair: $!";
my @open;

sub value {
    my ($word) = @_;
    return fileno($socket) if $word eq 'socket';
    return fileno($peer) if $word eq 'peer';
    if ($word =~ /^open:(.*)/) {
        open(my $file, '<', $1) or die "$1: $!";
        push @open, $file;
        return fileno($file);
    }
    return pack('l*', split(/,/, $1)) if $word =~ /^ints:(.*)/;
    return $word + 0;
}

for my $call (split(/ then /, join(' ', @ARGV))) {
    my ($number, @arguments) = map { value($_) } split(/ /, $call);
    if (syscall($number, @arguments) >= 0) {
        print "done\n";
    } else {
        print 'failed ', ($!{EPERM} ? 'PermissionDenied' : 'Other'), " $!\n";
    }
}
