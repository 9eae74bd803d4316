package value

import (
	"math"
	"math/big"
	"strconv"
)

func (p *parser) number() (any, *Error) {
	start := p.pos
	if p.data[p.pos] == '-' {
		p.pos++
		if p.word("Infinity") {
			return math.Inf(-1), nil
		}
	}
	isFloat := false
	digits := p.digits()
	if digits == 0 || digits > 1 && p.data[p.pos-digits] == '0' {
		return nil, p.fail("malformed number")
	}
	if p.pos < len(p.data) && p.data[p.pos] == '.' {
		isFloat = true
		p.pos++
		if p.digits() == 0 {
			return nil, p.fail("malformed number")
		}
	}
	if p.pos < len(p.data) && (p.data[p.pos] == 'e' || p.data[p.pos] == 'E') {
		isFloat = true
		p.pos++
		if p.pos < len(p.data) && (p.data[p.pos] == '+' || p.data[p.pos] == '-') {
			p.pos++
		}
		if p.digits() == 0 {
			return nil, p.fail("malformed number")
		}
	}
	text := string(p.data[start:p.pos])
	if isFloat {
		f, _ := strconv.ParseFloat(text, 64) // out of range gives an infinity or zero
		return f, nil
	}
	if n, err := strconv.ParseInt(text, 10, 64); err == nil {
		return n, nil
	}
	if digits > MaxDigits {
		return nil, p.fail("the integer has more than %d digits", MaxDigits)
	}
	return parseBig(text), nil
}

func (p *parser) digits() int {
	start := p.pos
	for p.pos < len(p.data) && '0' <= p.data[p.pos] && p.data[p.pos] <= '9' {
		p.pos++
	}
	return p.pos - start
}

// parseBig reads an integer known to be well-formed. Halving keeps its cost below the
// square of the length, which big.Int.SetString takes.
func parseBig(text string) *big.Int {
	negative := text[0] == '-'
	if negative {
		text = text[1:]
	}
	powers := map[int]*big.Int{}
	n := parseDigits(text, powers)
	if negative {
		n.Neg(n)
	}
	return n
}

func parseDigits(digits string, powers map[int]*big.Int) *big.Int {
	const short = 2000
	n := new(big.Int)
	if len(digits) <= short {
		n.SetString(digits, 10)
		return n
	}
	// The lower half is a power of two times short, so that few powers are needed.
	low := short
	for low*2 < len(digits) {
		low *= 2
	}
	power := powers[low]
	if power == nil {
		power = new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(low)), nil)
		powers[low] = power
	}
	n.Mul(parseDigits(digits[:len(digits)-low], powers), power)
	return n.Add(n, parseDigits(digits[len(digits)-low:], powers))
}
