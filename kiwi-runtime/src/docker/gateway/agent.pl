# Runs inside the gateway's container, started by `docker exec` for the length of one deployment. Every Debian image has
# perl-base; none needs to have socat or curl. Requests come on standard input, answers go to standard output; both are
# "<words> <length>\n" and that many bytes. Closing the input, as a killed Kiwi does, ends it and frees the lock.
use strict;
use warnings;
use Fcntl qw(:flock);
use IO::Socket::INET;
use IO::Socket::UNIX;

my ($dir, $master) = ('/etc/kiwi', '/run/kiwi/master.sock');
my $lock;
binmode $_ for (*STDIN, *STDOUT);
$| = 1;

sub answer { my ($status, $body) = @_; print "$status " . length($body) . "\n$body"; }

sub slurp { my ($path) = @_; open(my $in, '<', $path) or return undef; local $/; my $text = <$in>; return $text // ''; }

sub ask {
    # While the master replaces itself for a reload it takes no connections, for some tens of milliseconds, and hangs up on those it
    # has. Every answer has at least a line end, so nothing at all is no answer: of requests that it cut, each may be made again.
    my $reason = '';
    for (1 .. 200) {
        if (my $socket = IO::Socket::UNIX->new(Peer => $master)) {
            local $SIG{PIPE} = 'IGNORE';
            print $socket "$_[0]\n";
            $socket->shutdown(1);
            local $/;
            my $text = <$socket>;
            return $text if defined $text && length $text;
            $reason = 'it hung up';
        } else {
            $reason = "$!";
        }
        select(undef, undef, undef, 0.025);
    }
    die "the gateway's admin socket: $reason\n";
}

sub put {
    my ($path, $body) = @_;
    open(my $out, '>', "$path.new") or die "$path: $!\n";
    print $out $body or die "$path: $!\n";
    $out->flush or die "$path: $!\n";
    eval { require IO::Handle; $out->sync } or 1;
    close($out) or die "$path: $!\n";
    rename("$path.new", $path) or die "$path: $!\n";
}

while (defined(my $line = <STDIN>)) {
    chomp $line;
    my @words = split / /, $line;
    my ($verb, $length) = ($words[0], $words[-1]);
    my $body = '';
    while (length($body) < $length) { my $n = read(STDIN, $body, $length - length($body), length($body)); exit 0 unless $n; }
    my $result = eval {
        if ($verb eq 'ask') { return ask($body); }
        if ($verb eq 'lock') {
            mkdir "$dir/routes";
            open($lock, '>', "$dir/lock") or die "lock: $!\n";
            local $SIG{ALRM} = sub { die "another deployment holds the gateway's lock\n" };
            alarm 30;
            flock($lock, LOCK_EX) or die "lock: $!\n";
            alarm 0;
            return '';
        }
        if ($verb eq 'unlock') { close $lock if $lock; undef $lock; return ''; }
        if ($verb eq 'list') {
            my $all = '';
            for my $path (sort glob("$dir/routes/*.json")) { my $text = slurp($path); $all .= length($text) . "\n$text" if defined $text; }
            return $all;
        }
        if ($verb eq 'put') { put("$dir/$words[1]", $body); return ''; }
        if ($verb eq 'get') { return slurp("$dir/$words[1]") // ''; }
        if ($verb eq 'drop') { unlink "$dir/$words[1]"; return ''; }
        if ($verb eq 'check') { my $text = `haproxy -c -f $dir/$words[1] 2>&1`; die $text if $?; return ''; }
        if ($verb eq 'bindable') {
            # HAProxy pauses its own listeners while it tries a port in vain; so it must not try one that is taken.
            my $probe = IO::Socket::INET->new(LocalAddr => '0.0.0.0', LocalPort => $words[1], Listen => 1, ReuseAddr => 1);
            return $probe ? 'yes' : 'no';
        }
        if ($verb eq 'reload') { kill('USR2', 1) or die "reload: $!\n"; return ''; }
        die "unknown request $verb\n";
    };
    if (defined $result) { answer('ok', $result); } else { answer('failed', $@ || 'unknown'); }
}
