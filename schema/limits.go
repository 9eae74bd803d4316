package schema

const (
	// MaxSchemaBytes bounds the text of one document given to Parse.
	MaxSchemaBytes = 1 << 20
	// MaxSchemaDepth bounds how deep the objects and arrays of a document nest.
	MaxSchemaDepth = 128
	// MaxInstanceDepth bounds how deep a value given to Validate nests.
	MaxInstanceDepth = 512
	// MaxProblems bounds how many violations one error of Validate lists.
	MaxProblems = 8

	// maxCheckSteps bounds the work of one Validate: schemas applied to values. A value of
	// a million scalars against a plain schema fits; a document built to explode does not.
	maxCheckSteps = 4 << 20
	// maxTypeSteps bounds the work of turning one document into Python types; what is
	// beyond it is Any.
	maxTypeSteps = 20_000
	// maxUnion and maxLiteral bound one union and one Literal; wider ones become Any and
	// their base type.
	maxUnion   = 64
	maxLiteral = 256
	// maxLiteralText bounds one default or Literal value in a stub, in characters. Python
	// itself refuses integers of more than 4,300 digits.
	maxLiteralText = 200
	// maxShownValue bounds a value quoted in an error, in characters.
	maxShownValue = 60
)
